package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Progress;
import io.llava4j.text.Prompt;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.format.Images;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Statistics of a data set.
 *
 * @param records number of usable records
 * @param sources statistics of each source, the largest first, see {@link Sources}
 * @param questions number of questions of each record
 * @param lengths tokens of each record before truncation, image tokens included; empty without a tokenizer
 * @param supervised number of supervised tokens of each record; as long as {@code lengths}
 * @param imageEdges longer edge in pixels of each different image that could be read; empty if images were not read
 * @param badImages number of images that could not be read
 * @param answers the most frequent answers and their counts
 * @param allAnswers number of answers
 * @param differentAnswers number of different answers
 * @param maxLength longest sequence; 0 without a tokenizer
 * @param recordImages number of images of all records, an image counted in each of them
 * @param views squares that the vision tower reads of these; as many where images are not tiled or not read
 */
public record DataStats(
        int records,
        SequencedMap<String, Source> sources,
        int[] questions,
        int[] lengths,
        int[] supervised,
        int[] imageEdges,
        int badImages,
        SequencedMap<String, Integer> answers,
        int allAnswers,
        int differentAnswers,
        int maxLength,
        long recordImages,
        long views) {
    private static final int TOP_ANSWERS = 20;
    /** Longer answers are texts that hardly repeat. */
    private static final int ANSWER_LETTERS = 60;

    /**
     * Statistics of one source.
     *
     * @param records number of records
     * @param images number of different images
     * @param questions number of questions
     * @param tokens number of tokens after truncation, image tokens included; 0 without a tokenizer
     * @param supervised number of supervised tokens; 0 without a tokenizer
     */
    public record Source(int records, int images, long questions, long tokens, long supervised) {}

    /**
     * Computes the statistics.
     *
     * @param records to count
     * @param prompts makes the sequences; null to skip their lengths
     * @param images of the records; null to skip their sizes, so that images count as not tiled
     * @param seen how the model sees them
     * @param threads number of threads
     * @param progress called with the number of images, then of records
     */
    public static DataStats of(
            List<LlavaRecord> records,
            @Nullable SamplePrompts prompts,
            @Nullable Images images,
            ImageViews seen,
            int threads,
            Progress progress) {
        int[] lengths = new int[prompts == null ? 0 : records.size()];
        int[] supervised = new int[lengths.length];
        Map<String, Integer> edges = new ConcurrentHashMap<>();
        List<String> names = records.stream()
                .flatMap(record -> record.images().stream())
                .distinct()
                .toList();
        Map<String, ImageViews.Count> counts = new ConcurrentHashMap<>();
        if (images != null) {
            Workers.each(names, threads, image -> edges.put(image, edge(image, images, seen, counts)), progress);
        }
        if (prompts != null) {
            List<Integer> indices = IntStream.range(0, records.size()).boxed().toList();
            Workers.each(
                    indices,
                    threads,
                    i -> measure(records.get(i), seen.tokens(records.get(i), counts), prompts, i, lengths, supervised),
                    progress);
        }
        int[] known = edges.values().stream()
                .mapToInt(Integer::intValue)
                .filter(e -> e > 0)
                .sorted()
                .toArray();
        Map<String, Integer> answers = answers(records);
        return new DataStats(
                records.size(),
                sources(records, lengths, supervised, prompts == null ? 0 : prompts.maxLength()),
                records.stream().mapToInt(record -> record.turns().size() / 2).toArray(),
                lengths,
                supervised,
                known,
                edges.size() - known.length,
                mostFrequent(answers),
                records.stream().mapToInt(record -> record.turns().size() / 2).sum(),
                answers.size(),
                prompts == null ? 0 : prompts.maxLength(),
                records.stream().mapToLong(record -> record.images().size()).sum(),
                records.stream()
                        .flatMap(record -> record.images().stream())
                        .mapToLong(
                                image -> counts.getOrDefault(image, seen.one()).views())
                        .sum());
    }

    /** Fraction of the tokens that are supervised; 0 without a tokenizer. */
    public double supervisedShare() {
        long tokens = Arrays.stream(lengths)
                .asLongStream()
                .map(length -> Math.min(length, maxLength))
                .sum();
        return tokens == 0 ? 0 : Arrays.stream(supervised).asLongStream().sum() / (double) tokens;
    }

    /** Number of records that are truncated to the longest sequence. */
    public long tooLong() {
        return Arrays.stream(lengths).filter(length -> length > maxLength).count();
    }

    /** How many views the images are read as. */
    public String viewsSentence() {
        return String.format(
                Locale.ROOT,
                "in tiles, the images are read as %,d views, %.1f for each image",
                views,
                (double) views / recordImages);
    }

    private static void measure(
            LlavaRecord record, int[] imageTokens, SamplePrompts prompts, int i, int[] lengths, int[] supervised) {
        try {
            Prompt prompt = prompts.whole(record);
            lengths[i] = prompts.sequenceLength(prompt, imageTokens);
            supervised[i] = prompts.supervised(prompt, imageTokens);
        } catch (DataException e) {
            lengths[i] = 0; // training leaves it out; data validate says why
        }
    }

    private static int edge(String image, Images images, ImageViews seen, Map<String, ImageViews.Count> counts) {
        try {
            RgbImage pixels = images.decode(image);
            counts.put(image, seen.count(image, images, pixels));
            return Math.max(pixels.width(), pixels.height());
        } catch (DataException e) {
            return 0;
        }
    }

    private static SequencedMap<String, Source> sources(
            List<LlavaRecord> records, int[] lengths, int[] supervised, int maxLength) {
        boolean manyFolders = !Sources.count(records)
                .keySet()
                .containsAll(records.stream().map(Sources::of).distinct().toList());
        Map<String, List<Integer>> bySource = IntStream.range(0, records.size())
                .boxed()
                .collect(Collectors.groupingBy(
                        i -> manyFolders && !records.get(i).images().isEmpty()
                                ? Sources.IMAGES
                                : Sources.of(records.get(i))));
        SequencedMap<String, Source> sources = new LinkedHashMap<>();
        bySource.entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<String, List<Integer>> e) ->
                                -e.getValue().size())
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(entry -> {
                    List<Integer> in = entry.getValue();
                    sources.put(
                            entry.getKey(),
                            new Source(
                                    in.size(),
                                    (int) in.stream()
                                            .flatMap(i -> records.get(i).images().stream())
                                            .distinct()
                                            .count(),
                                    in.stream()
                                            .mapToLong(
                                                    i -> records.get(i).turns().size() / 2)
                                            .sum(),
                                    lengths.length == 0
                                            ? 0
                                            : in.stream()
                                                    .mapToLong(i -> Math.min(maxLength, lengths[i]))
                                                    .sum(),
                                    supervised.length == 0
                                            ? 0
                                            : in.stream()
                                                    .mapToLong(i -> supervised[i])
                                                    .sum()));
                });
        return sources;
    }

    private static Map<String, Integer> answers(List<LlavaRecord> records) {
        Map<String, Integer> counts = new HashMap<>();
        for (LlavaRecord record : records) {
            for (Turn turn : record.turns()) {
                if (turn.role() == Role.ASSISTANT) {
                    counts.merge(turn.text(), 1, Integer::sum);
                }
            }
        }
        return counts;
    }

    private static SequencedMap<String, Integer> mostFrequent(Map<String, Integer> counts) {
        List<Map.Entry<String, Integer>> sorted = new ArrayList<>(counts.entrySet());
        sorted.removeIf(entry -> entry.getKey().length() > ANSWER_LETTERS);
        sorted.sort(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()));
        SequencedMap<String, Integer> most = new LinkedHashMap<>();
        sorted.stream().limit(TOP_ANSWERS).forEach(entry -> most.put(entry.getKey(), entry.getValue()));
        return most;
    }
}
