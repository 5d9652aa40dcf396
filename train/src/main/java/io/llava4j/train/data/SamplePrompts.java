package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import java.util.Arrays;
import java.util.Locale;

/**
 * Makes prompts from records as training uses them.
 *
 * @param builder tokenizer and template
 * @param maxLength longest sequence in tokens, image tokens included
 * @param tokensPerView image tokens of one view of an image: all of an image that is not tiled, and the fewest of one that is
 */
public record SamplePrompts(PromptBuilder builder, int maxLength, int tokensPerView) {
    /** The whole prompt of a record, without truncation. */
    public Prompt whole(LlavaRecord record) {
        return builder.training(record.system(), record.turns(), record.images().size(), Integer.MAX_VALUE);
    }

    /** Number of tokens of a prompt's sequence, image tokens included; at least, if images are tiled. */
    public int sequenceLength(Prompt prompt) {
        return sequenceLength(prompt, untiled(prompt));
    }

    /**
     * Number of tokens of a prompt's sequence, image tokens included.
     *
     * @param imageTokens of each of its images
     */
    public int sequenceLength(Prompt prompt, int[] imageTokens) {
        int length = prompt.length() - prompt.imageCount();
        for (int image = 0; image < prompt.imageCount(); image++) {
            length += ofImage(image, imageTokens);
        }
        return length;
    }

    /** A conversation may name more images than its record has, which is refused elsewhere. */
    private int ofImage(int image, int[] imageTokens) {
        return image < imageTokens.length ? imageTokens[image] : tokensPerView;
    }

    private int[] untiled(Prompt prompt) {
        int[] imageTokens = new int[prompt.imageCount()];
        Arrays.fill(imageTokens, tokensPerView);
        return imageTokens;
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

    /**
     * Checks a prompt whose images are known.
     *
     * @param imageTokens of each of its images
     * @throws DataException if truncation leaves it without a supervised token
     */
    public void requireAnswer(Prompt prompt, int[] imageTokens) {
        if (supervised(prompt, imageTokens) == 0) {
            throw new DataException(String.format(
                    Locale.ROOT,
                    "no token of an answer is left within data.max-length, as its images in tiles have %,d tokens; raise it or"
                            + " take smaller canvases",
                    Arrays.stream(imageTokens).sum()));
        }
    }

    /** Number of supervised tokens of a prompt within the longest sequence; at most, if images are tiled. */
    public int supervised(Prompt prompt) {
        return supervised(prompt, untiled(prompt));
    }

    /**
     * Number of supervised tokens of a prompt within the longest sequence.
     *
     * @param imageTokens of each of its images
     */
    public int supervised(Prompt prompt, int[] imageTokens) {
        int supervised = 0;
        int image = 0;
        int position = 0;
        for (int i = 0; i < prompt.length() && position < maxLength; i++) {
            // No position predicts the first token.
            supervised += position > 0 && prompt.labels()[i] != Prompt.IGNORE_INDEX ? 1 : 0;
            position += prompt.ids()[i] == Prompt.IMAGE_TOKEN_INDEX ? ofImage(image++, imageTokens) : 1;
        }
        return supervised;
    }
}
