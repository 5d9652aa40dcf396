package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;

/**
 * Makes prompts from records as training uses them.
 *
 * @param builder tokenizer and template
 * @param maxLength longest sequence in tokens, image tokens included
 * @param tokensPerImage number of image tokens of an image
 */
public record SamplePrompts(PromptBuilder builder, int maxLength, int tokensPerImage) {
    /** The whole prompt of a record, without truncation. */
    public Prompt whole(LlavaRecord record) {
        return builder.training(record.system(), record.turns(), record.images().size(), Integer.MAX_VALUE);
    }

    /** Number of tokens of a prompt's sequence, image tokens included. */
    public int sequenceLength(Prompt prompt) {
        return prompt.length() + prompt.imageCount() * (tokensPerImage - 1);
    }

    /**
     * The prompt of a record, truncated to the longest sequence.
     *
     * @throws DataException if truncation leaves it without one of its images or without a supervised token
     */
    public Prompt of(LlavaRecord record) {
        int images = record.images().size();
        Prompt prompt = builder.training(record.system(), record.turns(), images, maxLength)
                .truncated(maxLength);
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
                    "no token of an answer is left within data.max-length, image tokens included; raise it"
                            + " or shorten the record");
        }
        return prompt;
    }

    /** Number of supervised tokens of a prompt within the longest sequence. */
    public int supervised(Prompt prompt) {
        int supervised = 0;
        int position = 0;
        for (int i = 0; i < prompt.length() && position < maxLength; i++) {
            // No position predicts the first token.
            supervised += position > 0 && prompt.labels()[i] != Prompt.IGNORE_INDEX ? 1 : 0;
            position += prompt.ids()[i] == Prompt.IMAGE_TOKEN_INDEX ? tokensPerImage : 1;
        }
        return supervised;
    }
}
