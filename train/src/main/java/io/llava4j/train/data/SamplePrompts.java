package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;

/**
 * Ids and labels of a record as training uses them; the one place where a record becomes a prompt.
 *
 * @param builder tokenizer and template
 * @param maxLength longest sequence in tokens, image rows included
 * @param tokensPerImage rows an image takes in the sequence
 */
public record SamplePrompts(PromptBuilder builder, int maxLength, int tokensPerImage) {
    /** The whole prompt, whatever its length. */
    public Prompt whole(LlavaRecord record) {
        return builder.training(record.turns(), record.images().size(), Integer.MAX_VALUE);
    }

    /** Places a prompt takes in the sequence, image rows included. */
    public int sequenceLength(Prompt prompt) {
        return prompt.length() + prompt.imageCount() * (tokensPerImage - 1);
    }

    /**
     * A record's prompt.
     *
     * @throws DataException if the splice would leave it without its image or without any label
     */
    public Prompt of(LlavaRecord record) {
        int images = record.images().size();
        Prompt prompt = builder.training(record.turns(), images, maxLength).truncated(maxLength);
        if (prompt.imageCount() != images) {
            throw new DataException(
                    images <= 1
                            ? "the conversation names its image %d times within data.max-length; write <image> once, in the first question"
                                    .formatted(prompt.imageCount())
                            : "the conversation names %d of its %d images within data.max-length; write <image> once for each of them, early enough"
                                    .formatted(prompt.imageCount(), images));
        }
        if (supervised(prompt) == 0) {
            throw new DataException(
                    "no token of an answer is left within data.max-length, image rows included; raise it"
                            + " or shorten the record");
        }
        return prompt;
    }

    /** Tokens of a prompt that are supervised: those that have a label and lie within the longest sequence. */
    public int supervised(Prompt prompt) {
        int supervised = 0;
        int place = 0;
        for (int i = 0; i < prompt.length() && place < maxLength; i++) {
            // The first place predicts nothing before it.
            supervised += place > 0 && prompt.labels()[i] != Prompt.IGNORE_INDEX ? 1 : 0;
            place += prompt.ids()[i] == Prompt.IMAGE_TOKEN_INDEX ? tokensPerImage : 1;
        }
        return supervised;
    }
}
