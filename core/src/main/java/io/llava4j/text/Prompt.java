package io.llava4j.text;

import java.util.Arrays;

/**
 * A tokenized conversation.
 *
 * @param ids token ids; {@value #IMAGE_TOKEN_INDEX} where the image tokens of an image are spliced in
 * @param labels one per id: the id itself at a supervised token, {@value #IGNORE_INDEX} elsewhere
 * @param truncatedTokens number of tokens removed from the end to fit a maximum length
 */
public record Prompt(int[] ids, int[] labels, int truncatedTokens) {
    /** Stands for an image in {@link #ids}. */
    public static final int IMAGE_TOKEN_INDEX = -200;

    /** Label of a position that is not supervised. */
    public static final int IGNORE_INDEX = -100;

    /** @throws IllegalArgumentException if ids and labels differ in length */
    public Prompt {
        if (ids.length != labels.length) {
            throw new IllegalArgumentException("%d ids with %d labels".formatted(ids.length, labels.length));
        }
    }

    /** A prompt that is not truncated. */
    public Prompt(int[] ids, int[] labels) {
        this(ids, labels, 0);
    }

    /** A prompt without supervised tokens. */
    static Prompt unlabelled(int[] ids) {
        int[] labels = new int[ids.length];
        Arrays.fill(labels, IGNORE_INDEX);
        return new Prompt(ids, labels);
    }

    /** Length in tokens, counting an image placeholder as one. */
    public int length() {
        return ids.length;
    }

    /** Count of image placeholders, which is the number of images the prompt needs. */
    public int imageCount() {
        return (int) Arrays.stream(ids).filter(id -> id == IMAGE_TOKEN_INDEX).count();
    }

    /** Count of supervised tokens. */
    public int supervisedCount() {
        return (int)
                Arrays.stream(labels).filter(label -> label != IGNORE_INDEX).count();
    }

    /** The first {@code maxLength} tokens; the removed ones are added to {@link #truncatedTokens}. */
    public Prompt truncated(int maxLength) {
        if (maxLength < 1) {
            throw new IllegalArgumentException("a prompt cannot be truncated to %d tokens".formatted(maxLength));
        }
        int excess = ids.length - maxLength;
        return excess <= 0
                ? this
                : new Prompt(Arrays.copyOf(ids, maxLength), Arrays.copyOf(labels, maxLength), truncatedTokens + excess);
    }
}
