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
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What is in a data set.
 *
 * @param records usable records
 * @param sources what each source has, the largest first, see {@link Sources}
 * @param questions per record, how many questions it has
 * @param lengths per record, places in the sequence before any cut, image rows included; empty without a tokenizer
 * @param supervised per record, places the loss is taken at; as many as {@code lengths}
 * @param imageEdges per different image that could be read, its longer edge in pixels; empty if not looked at
 * @param badImages images that could not be read
 * @param answers the most frequent answers with how often they are given
 * @param allAnswers number of answers
 * @param differentAnswers number of different answers
 * @param maxLength longest sequence; 0 without a tokenizer
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
        int maxLength) {
    private static final int TOP_ANSWERS = 20;
    /** Longer answers are texts, of which no two are the same. */
    private static final int ANSWER_LETTERS = 60;

    /**
     * What a source has.
     *
     * @param records of it
     * @param images different ones
     * @param questions of all its records
     * @param tokens of all its records, image rows included, cut to the longest sequence; 0 without a tokenizer
     * @param supervised places the loss is taken at; 0 without a tokenizer
     */
    public record Source(int records, int images, long questions, long tokens, long supervised) {}

    /**
     * Counts.
     *
     * @param records to count
     * @param prompts makes the sequences; null to leave their lengths out
     * @param images to look at; null to leave their sizes out
     * @param threads how many work
     * @param progress told how many records and images were looked at
     */
    public static DataStats of(
            List<LlavaRecord> records,
            @Nullable SamplePrompts prompts,
            @Nullable Images images,
            int threads,
            Progress progress) {
        int[] lengths = new int[prompts == null ? 0 : records.size()];
        int[] supervised = new int[lengths.length];
        if (prompts != null) {
            List<Integer> places = IntStream.range(0, records.size()).boxed().toList();
            Workers.each(places, threads, i -> measure(records.get(i), prompts, i, lengths, supervised), progress);
        }
        Map<String, Integer> edges = new ConcurrentHashMap<>();
        List<String> names = records.stream()
                .flatMap(record -> record.images().stream())
                .distinct()
                .toList();
        if (images != null) {
            Workers.each(names, threads, image -> edges.put(image, edge(image, images)), progress);
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
                most(answers),
                records.stream().mapToInt(record -> record.turns().size() / 2).sum(),
                answers.size(),
                prompts == null ? 0 : prompts.maxLength());
    }

    /** Share of the sequences' places at which the loss is taken; 0 without a tokenizer. */
    public double taughtShare() {
        long places = Arrays.stream(lengths)
                .asLongStream()
                .map(length -> Math.min(length, maxLength))
                .sum();
        return places == 0 ? 0 : Arrays.stream(supervised).asLongStream().sum() / (double) places;
    }

    /** Records that lose their end to the longest sequence. */
    public long tooLong() {
        return Arrays.stream(lengths).filter(length -> length > maxLength).count();
    }

    private static void measure(LlavaRecord record, SamplePrompts prompts, int i, int[] lengths, int[] supervised) {
        try {
            Prompt prompt = prompts.whole(record);
            lengths[i] = prompts.sequenceLength(prompt);
            supervised[i] = prompts.supervised(prompt);
        } catch (DataException e) {
            lengths[i] = 0; // validate tells why; training leaves it out
        }
    }

    private static int edge(String image, Images images) {
        try {
            RgbImage pixels = images.decode(image);
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
        Map<String, List<Integer>> places = IntStream.range(0, records.size())
                .boxed()
                .collect(Collectors.groupingBy(
                        i -> manyFolders && !records.get(i).images().isEmpty()
                                ? Sources.IMAGES
                                : Sources.of(records.get(i))));
        SequencedMap<String, Source> sources = new LinkedHashMap<>();
        places.entrySet().stream()
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

    private static SequencedMap<String, Integer> most(Map<String, Integer> counts) {
        List<Map.Entry<String, Integer>> sorted = new ArrayList<>(counts.entrySet());
        sorted.removeIf(entry -> entry.getKey().length() > ANSWER_LETTERS);
        sorted.sort(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()));
        SequencedMap<String, Integer> most = new LinkedHashMap<>();
        sorted.stream().limit(TOP_ANSWERS).forEach(entry -> most.put(entry.getKey(), entry.getValue()));
        return most;
    }
}
