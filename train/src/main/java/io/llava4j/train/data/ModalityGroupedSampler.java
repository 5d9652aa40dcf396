package io.llava4j.train.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * LLaVA's sampler of stage 2 (docs/reference/training.md#sampler): an optimiser step holds only samples with images or
 * only text samples, and the lengths are balanced over its micro-batches. Only the last step or steps of an epoch mix the
 * remaining samples of both kinds.
 */
public final class ModalityGroupedSampler implements EpochSampler {
    private final int[] lengths;
    private final int groups;
    private final int stepSize;

    /**
     * @param lengths of the samples, see {@link #signedLength}
     * @param batchSize samples of one micro-batch
     * @param groups micro-batches of one optimiser step: devices times accumulation
     * @throws IllegalArgumentException if a length is 0
     */
    public ModalityGroupedSampler(int[] lengths, int batchSize, int groups) {
        if (Arrays.stream(lengths).anyMatch(l -> l == 0)) {
            throw new IllegalArgumentException("a sample of length 0 has neither an image nor text");
        }
        this.lengths = lengths.clone();
        this.groups = groups;
        this.stepSize = Math.multiplyExact(batchSize, groups);
    }

    /** Number of words of a conversation, separated by white space; negative if it has no image. */
    public static int signedLength(LlavaRecord record) {
        int words = record.turns().stream().mapToInt(t -> words(t.text())).sum();
        return record.images().isEmpty() ? -words : words;
    }

    @Override
    public int[] order(long seed, int epoch) {
        return order(Permutations.seeded(seed, epoch));
    }

    /**
     * The order from given permutations, which are taken in this sequence: samples with images, text samples, steps; only
     * one permutation if all samples are of one kind.
     */
    public int[] order(Permutations permutations) {
        int[] all = IntStream.range(0, lengths.length).toArray();
        int[] images = Arrays.stream(all).filter(i -> lengths[i] > 0).toArray();
        if (images.length == 0 || images.length == all.length) {
            return flatten(steps(all, permutations, lengths));
        }
        int[] text = Arrays.stream(all).filter(i -> lengths[i] < 0).toArray();
        int[] absolute = Arrays.stream(lengths).map(Math::abs).toArray();
        List<int[]> imageSteps = steps(images, permutations, absolute);
        List<int[]> textSteps = steps(text, permutations, absolute);
        // The reference removes the last step of each kind even if it is full.
        int[] tail = IntStream.concat(Arrays.stream(imageSteps.removeLast()), Arrays.stream(textSteps.removeLast()))
                .sorted()
                .toArray();
        List<int[]> whole = new ArrayList<>(imageSteps);
        whole.addAll(textSteps);
        List<int[]> shuffled = new ArrayList<>();
        for (int i : permutations.next(whole.size())) {
            shuffled.add(whole.get(i));
        }
        shuffled.add(tail);
        return flatten(shuffled);
    }

    /** Splits a random order into steps and balances each. */
    private List<int[]> steps(int[] samples, Permutations permutations, int[] length) {
        int[] order = Arrays.stream(permutations.next(samples.length))
                .map(i -> samples[i])
                .toArray();
        List<int[]> steps = new ArrayList<>();
        for (int from = 0; from < order.length; from += stepSize) {
            int[] descending = Arrays.stream(order, from, Math.min(order.length, from + stepSize))
                    .boxed()
                    .sorted(Comparator.comparingInt((Integer i) -> length[i]).reversed())
                    .mapToInt(Integer::intValue)
                    .toArray();
            steps.add(flatten(split(descending, length, groups)));
        }
        return steps;
    }

    /**
     * Splits samples into chunks of equal size: the next sample goes to the chunk with the smallest total length that is
     * not full. If the chunks cannot be equal, every {@code chunks}-th sample goes to the same one.
     *
     * @param samples indices, longest first
     * @param length of every sample of the data set
     * @param chunks number of chunks
     */
    public static List<int[]> split(int[] samples, int[] length, int chunks) {
        if (samples.length % chunks != 0) {
            return IntStream.range(0, chunks)
                    .mapToObj(c -> IntStream.range(0, samples.length)
                            .filter(i -> i % chunks == c)
                            .map(i -> samples[i])
                            .toArray())
                    .toList();
        }
        int capacity = samples.length / chunks;
        List<int[]> parts =
                IntStream.range(0, chunks).mapToObj(c -> new int[capacity]).toList();
        int[] filled = new int[chunks];
        long[] totals = new long[chunks];
        for (int sample : samples) {
            int shortest = 0;
            for (int c = 1; c < chunks; c++) {
                if (totals[c] < totals[shortest]) {
                    shortest = c;
                }
            }
            parts.get(shortest)[filled[shortest]++] = sample;
            totals[shortest] = filled[shortest] == capacity ? Long.MAX_VALUE : totals[shortest] + length[sample];
        }
        return parts;
    }

    private static int[] flatten(List<int[]> parts) {
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** Counts what Python's {@code len(text.split())} counts. */
    private static int words(String text) {
        int words = 0;
        boolean inside = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean space = Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
            words += !space && !inside ? 1 : 0;
            inside = !space;
        }
        return words;
    }
}
