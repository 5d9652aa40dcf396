package io.llava4j.text;

/**
 * A token beyond the vocabulary of {@code tokenizer.model}: its text is one token wherever it stands
 * (docs/reference/model.md#added-tokens).
 *
 * @param id behind the vocabulary
 * @param content its text
 * @param special whether it is left out of answers
 */
public record AddedToken(int id, String content, boolean special) {}
