package io.llava4j.text;

import java.util.Arrays;

/**
 * A tokenized conversation.
 *
 * @param ids token ids; {@value #IMAGE_TOKEN_INDEX} where an image's features will be spliced in
 * @param labels as many: the id itself where the model is supervised to say it, {@value #IGNORE_INDEX} elsewhere
 * @param cutTokens number of tokens cut off at the end to fit a maximum length; 0 if nothing is missing
 */
public record Prompt(int[] ids, int[] labels, int cutTokens) {
    /** Stands for an image in {@link #ids}. */
    public static final int IMAGE_TOKEN_INDEX = -200;

    /** Label of a position that is not supervised. */
    public static final int IGNORE_INDEX = -100;

    /** @throws IllegalArgumentException if there are not as many labels as ids */
    public Prompt {
        if (ids.length != labels.length) {
            throw new IllegalArgumentException("%d ids with %d labels".formatted(ids.length, labels.length));
        }
    }

    /** A prompt from which nothing is cut. */
    public Prompt(int[] ids, int[] labels) {
        this(ids, labels, 0);
    }

    /** A prompt in which nothing is supervised. */
    static Prompt unlabelled(int[] ids) {
        int[] labels = new int[ids.length];
        Arrays.fill(labels, IGNORE_INDEX);
        return new Prompt(ids, labels);
    }

    /** Number of tokens, an image placeholder counting as one. */
    public int length() {
        return ids.length;
    }

    /** Number of image placeholders. */
    public int imageCount() {
        return (int) Arrays.stream(ids).filter(id -> id == IMAGE_TOKEN_INDEX).count();
    }

    /** Number of positions that are supervised. */
    public int supervisedCount() {
        return (int)
                Arrays.stream(labels).filter(label -> label != IGNORE_INDEX).count();
    }

    /** The first {@code maxLength} tokens, with what was cut added to {@link #cutTokens}. */
    public Prompt truncated(int maxLength) {
        if (maxLength < 1) {
            throw new IllegalArgumentException("a prompt cannot be cut to %d tokens".formatted(maxLength));
        }
        int excess = ids.length - maxLength;
        return excess <= 0
                ? this
                : new Prompt(Arrays.copyOf(ids, maxLength), Arrays.copyOf(labels, maxLength), cutTokens + excess);
    }
}
