package io.llava4j.model;

import io.llava4j.DataException;
import io.llava4j.text.Prompt;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where every position of a batch of spliced sequences comes from (docs/reference/model.md#splice). The splice is one
 * lookup in a table that holds the embeddings of all text tokens, then all image tokens, then one zero vector.
 *
 * @param textIds ids of all text tokens of the batch, in order
 * @param lengths real tokens of each sequence
 * @param source for each position of {@code [batch, longest]}, row-major, its index in the table; of packed sequences, for
 *     each position of one sequence after the other
 * @param labels {@code [batch][longest]}, of packed sequences {@code [batch][own length]};
 *     {@link Prompt#IGNORE_INDEX} on images, padding and unsupervised text
 */
record SplicePlan(long[] textIds, int[] lengths, long[] source, int[][] labels) {
    /**
     * Plans the splice of a batch.
     *
     * @param tokenCounts tokens of each image of the input
     * @param maxLength where sequences are truncated; 0 for no limit
     * @param packed whether sequences follow each other without padding
     * @throws DataException if placeholders and images do not match in number
     */
    static SplicePlan of(ModelInput input, int[] tokenCounts, int maxLength, boolean packed) {
        List<int[]> ids = input.ids();
        int[] placed = input.placed();
        int placeholders = 0;
        int texts = 0;
        for (int[] sequence : ids) {
            for (int id : sequence) {
                if (id == Prompt.IMAGE_TOKEN_INDEX) {
                    placeholders++;
                } else {
                    texts++;
                }
            }
        }
        if (placeholders != placed.length) {
            throw new DataException("the prompts have " + placeholders + " image placeholders for " + placed.length
                    + " images; give one image for each");
        }
        // Of each image, the index of its first token in the table; the last entry is the zero vector.
        int[] firstToken = new int[tokenCounts.length + 1];
        firstToken[0] = texts;
        for (int i = 0; i < tokenCounts.length; i++) {
            firstToken[i + 1] = firstToken[i] + tokenCounts[i];
        }
        int[] lengths = lengths(input, tokenCounts, maxLength);
        int longest = Arrays.stream(lengths).max().orElse(0);
        long[] source = new long[packed ? Arrays.stream(lengths).sum() : ids.size() * longest];
        Arrays.fill(source, firstToken[tokenCounts.length]);
        long[] textIds = new long[texts];
        int[][] labels = new int[ids.size()][];
        int text = 0;
        int image = 0;
        int from = 0;
        for (int sequence = 0; sequence < lengths.length; sequence++) {
            labels[sequence] = new int[packed ? lengths[sequence] : longest];
            Arrays.fill(labels[sequence], Prompt.IGNORE_INDEX);
            int[] own = ids.get(sequence);
            int @Nullable [] ownLabels =
                    input.labels() == null ? null : input.labels().get(sequence);
            int at = 0;
            for (int i = 0; i < own.length; i++) {
                if (own[i] == Prompt.IMAGE_TOKEN_INDEX) {
                    int shown = placed[image++];
                    for (int t = 0; t < tokenCounts[shown]; t++, at++) {
                        if (at < lengths[sequence]) {
                            source[from + at] = (long) firstToken[shown] + t;
                        }
                    }
                } else {
                    if (at < lengths[sequence]) {
                        source[from + at] = text;
                        labels[sequence][at] = ownLabels == null ? Prompt.IGNORE_INDEX : ownLabels[i];
                    }
                    textIds[text++] = own[i];
                    at++;
                }
            }
            from += labels[sequence].length;
        }
        return new SplicePlan(textIds, lengths, source, labels);
    }

    private static int[] lengths(ModelInput input, int[] tokenCounts, int maxLength) {
        int[] lengths = new int[input.ids().size()];
        int image = 0;
        for (int sequence = 0; sequence < lengths.length; sequence++) {
            int length = 0;
            for (int id : input.ids().get(sequence)) {
                length += id == Prompt.IMAGE_TOKEN_INDEX ? tokenCounts[input.placed()[image++]] : 1;
            }
            lengths[sequence] = maxLength > 0 ? Math.min(length, maxLength) : length;
        }
        return lengths;
    }
}
