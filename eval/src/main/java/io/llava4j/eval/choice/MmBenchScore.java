package io.llava4j.eval.choice;

import io.llava4j.eval.score.Means;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * MMBench's circular evaluation as VLMEvalKit does it: a question is right if it is in every rotation.
 *
 * @param hits a question each, in the order of their indices
 * @param judgeCalls how often the official code would have asked a judge
 * @param unresolved rows with an answer for which the judge gave no usable reply
 */
public record MmBenchScore(List<Hit> hits, int judgeCalls, List<Long> unresolved) {
    /** Rotations of a question are rows whose index differs by a multiple of this. */
    static final long ROTATION = 1_000_000;

    private static final int TRIES = 3;

    private static final Map<String, String> SHORT = Map.of(
            "coarse_perception", "CP",
            "finegrained_perception (instance-level)", "FP-S",
            "finegrained_perception (cross-instance)", "FP-C",
            "logic_reasoning", "LR",
            "relation_reasoning", "RR",
            "attribute_reasoning", "AR");

    /**
     * A row with its prediction.
     *
     * @param index of the row
     * @param options by letter; missing ones left out
     * @param truth letter of the right option
     * @param prediction what the model said; {@link #NOTHING} where it said nothing
     */
    public record Row(
            long index,
            String question,
            Map<String, String> options,
            String truth,
            String prediction,
            @Nullable String category,
            @Nullable String l2Category,
            String split) {
        /** What pandas makes of an empty cell. */
        static final String NOTHING = "nan";

        public long group() {
            return index % ROTATION;
        }
    }

    /** A question and its rotations: whether all are right, and how VLMEvalKit's log on it begins. */
    public record Hit(Row main, int hit, String log) {}

    /**
     * Evaluates rows. A decided wrong rotation makes a question wrong at once.
     *
     * @param judge what a judge replied on a row that names no option, null if it did not; null for exact matching, where
     *     a question with such a row is wrong
     */
    public static MmBenchScore of(
            List<Row> rows, OptionMatching matching, @Nullable Function<Row, @Nullable String> judge) {
        Map<Long, List<Row>> groups = new TreeMap<>();
        rows.stream()
                .sorted(Comparator.comparingLong(Row::index))
                .forEach(row -> groups.computeIfAbsent(row.group(), g -> new ArrayList<>())
                        .add(row));
        List<Hit> hits = new ArrayList<>();
        List<Long> unresolved = new ArrayList<>();
        int[] calls = {0};
        groups.forEach((index, group) -> {
            if (group.getFirst().index() == index) {
                hits.add(hit(group, matching, judge, calls, unresolved));
            }
        });
        return new MmBenchScore(hits, calls[0], unresolved);
    }

    private static Hit hit(
            List<Row> group,
            OptionMatching matching,
            @Nullable Function<Row, @Nullable String> judge,
            int[] calls,
            List<Long> unresolved) {
        Row main = group.getFirst();
        List<@Nullable String> decided = new ArrayList<>();
        for (Row row : group) {
            String letter = matching.infer(row.prediction(), row.options());
            if (letter != null && !letter.equals(row.truth())) {
                return new Hit(main, 0, "Failed in Prefetching Rolling " + decided.size());
            }
            decided.add(letter);
        }
        if (!decided.contains(null)) {
            return new Hit(main, 1, "Succeed During Pre-fetching");
        }
        if (judge == null) {
            return new Hit(main, 0, "Failed in Prefetch, no GPT-based answer matching under `exact_matching` policy.");
        }
        StringBuilder log = new StringBuilder();
        for (int i = 0; i < group.size(); i++) {
            if (decided.get(i) != null) {
                log.append("Rolling %d Matched.\n".formatted(i));
                continue;
            }
            Row row = group.get(i);
            String reply = judge.apply(row);
            String letter = reply == null ? null : matching.infer(reply, row.options());
            calls[0] += letter == null ? TRIES : 1;
            if (letter == null && !row.prediction().equals(Row.NOTHING)) {
                unresolved.add(row.index());
            }
            if (letter == null || !letter.equals(row.truth())) {
                return new Hit(
                        main,
                        0,
                        log.append("Failed in Rolling %d: ".formatted(i)).toString());
            }
            log.append("Rolling %d: ".formatted(i));
        }
        return new Hit(main, 1, log.toString());
    }

    /** Share of questions that are right, 0..1. */
    public double overall() {
        Means mean = new Means();
        hits.forEach(h -> mean.add("", h.hit()));
        return mean.mean("");
    }

    /** Overall, per coarse ability (abbreviated) and per ability, sorted by name. */
    public Map<String, Double> numbers() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("Overall", overall());
        Means coarse = new Means();
        Means fine = new Means();
        hits.forEach(h -> {
            if (h.main().l2Category() != null) {
                coarse.add(h.main().l2Category(), h.hit());
            }
            if (h.main().category() != null) {
                fine.add(h.main().category(), h.hit());
            }
        });
        new TreeMap<>(coarse.means()).forEach((name, mean) -> numbers.put(SHORT.getOrDefault(name, name), mean));
        new TreeMap<>(fine.means()).forEach((name, mean) -> numbers.put(SHORT.getOrDefault(name, name), mean));
        return numbers;
    }
}
