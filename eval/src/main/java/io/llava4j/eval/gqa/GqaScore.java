package io.llava4j.eval.gqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.Means;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * GQA's official metric (docs/reference/evaluation.md#gqa). Percent, but for the distribution, which is a distance.
 *
 * @param metrics binary, open, accuracy, consistency, validity, plausibility
 * @param distribution chi-square distance of predicted and true answers, lower is better
 * @param groups accuracies by structural type, semantic type, steps and words
 * @param consistencyAsked whether consistency was computed
 * @param correct 1 or 0 per balanced question
 */
public record GqaScore(
        Map<String, Double> metrics,
        double distribution,
        Map<String, Means> groups,
        boolean consistencyAsked,
        Map<String, Integer> correct) {
    private static final Set<String> COMMON = Set.of("color", "material", "shape");

    /** What is valid and what plausible as an answer to a question. */
    record Choices(Set<String> valid, Set<String> plausible) {}

    /** Names of the groups as in the official code's results. */
    static final String STRUCTURAL = "accuracyPerStructuralType";

    private static final Map<String, String> TITLES = titles();

    private static Map<String, String> titles() {
        Map<String, String> titles = new LinkedHashMap<>();
        titles.put(STRUCTURAL, "Accuracy / structural type");
        titles.put("accuracyPerSemanticType", "Accuracy / semantic type");
        titles.put("accuracyPerSteps", "Accuracy / steps number");
        titles.put("accuracyPerLength", "Accuracy / words number");
        return titles;
    }

    /**
     * Scores predictions.
     *
     * @param choices by question; null if there is no choices file, which gives 0
     * @param consistency whether entailed questions are compared, too; then every question needs a prediction
     * @throws DataException for a missing prediction, as the official code does, and where no question has a global group
     */
    public static GqaScore of(
            Map<String, GqaQuestion> questions,
            Map<String, String> predictions,
            @Nullable Map<String, Choices> choices,
            boolean consistency) {
        List<String> missing = questions.entrySet().stream()
                .filter(q -> (q.getValue().balanced() || consistency) && !predictions.containsKey(q.getKey()))
                .map(Map.Entry::getKey)
                .toList();
        if (!missing.isEmpty()) {
            throw new DataException("%d questions have no prediction (the first is %s); GQA's code refuses that"
                    .formatted(missing.size(), missing.getFirst()));
        }
        Means metrics = new Means();
        List.of("binary", "open", "accuracy", "consistency", "validity", "plausibility")
                .forEach(metrics::expect);
        Map<String, Means> groups = new LinkedHashMap<>();
        TITLES.keySet().forEach(name -> groups.put(name, new Means()));
        Map<String, Map<String, int[]>> distributions = new LinkedHashMap<>();
        Map<String, Integer> correct = new LinkedHashMap<>();
        questions.forEach((id, question) -> {
            String predicted = predictions.get(id);
            int score = question.answer().equals(predicted) ? 1 : 0;
            if (question.balanced()) {
                correct.put(id, score);
                metrics.add("accuracy", score);
                metrics.add(question.binary() ? "binary" : "open", score);
                Map<String, String> keys = Map.of(
                        STRUCTURAL,
                        question.structuralType(),
                        "accuracyPerSemanticType",
                        question.semanticType(),
                        "accuracyPerSteps",
                        String.valueOf(question.steps()),
                        "accuracyPerLength",
                        String.valueOf(question.words()));
                groups.forEach((name, means) -> means.add(keys.getOrDefault(name, ""), score));
                Choices own = choices == null ? null : choices.get(id);
                metrics.add("validity", own != null && belongs(predicted, own.valid(), question) ? 1 : 0);
                metrics.add("plausibility", own != null && belongs(predicted, own.plausible(), question) ? 1 : 0);
                if (question.globalGroup() != null) {
                    Map<String, int[]> group =
                            distributions.computeIfAbsent(question.globalGroup(), g -> new LinkedHashMap<>());
                    group.computeIfAbsent(question.answer(), a -> new int[2])[0]++;
                    group.computeIfAbsent(String.valueOf(predicted), a -> new int[2])[1]++;
                }
            }
            if (consistency && score == 1) {
                consistency(id, question, questions, predictions, metrics);
            }
        });
        Map<String, Double> percent = new LinkedHashMap<>();
        metrics.means().forEach((name, mean) -> percent.put(name, mean * 100));
        return new GqaScore(percent, distance(distributions) / 100, groups, consistency, correct);
    }

    private static void consistency(
            String id,
            GqaQuestion question,
            Map<String, GqaQuestion> questions,
            Map<String, String> predictions,
            Means metrics) {
        Means entailed = new Means();
        for (String other : question.entailed()) {
            if (!other.equals(id)) {
                GqaQuestion implied = questions.get(other);
                if (implied == null) {
                    throw new DataException("question %s entails %s, which is not in the file".formatted(id, other));
                }
                entailed.add("", implied.answer().equals(predictions.get(other)) ? 1 : 0);
            }
        }
        if (entailed.count("") > 0) {
            metrics.add("consistency", entailed.mean(""));
        }
    }

    private static boolean belongs(@Nullable String predicted, Set<String> group, GqaQuestion question) {
        return predicted != null && (question.detailedType().contains("Common") ? COMMON : group).contains(predicted);
    }

    private static double distance(Map<String, Map<String, int[]>> distributions) {
        double sum = 0;
        int size = 0;
        for (Map<String, int[]> group : distributions.values()) {
            double score = 0;
            int overall = 0;
            for (int[] counts : group.values()) {
                if (counts[0] > 0) {
                    score += Math.pow(counts[1] - counts[0], 2) / counts[0];
                    overall += counts[0];
                }
            }
            sum += score * overall;
            size += overall;
        }
        if (size == 0) {
            throw new DataException(
                    "no question has a global group, so GQA's distribution is undefined and its code stops with a "
                            + "division by zero; is it the right question file?");
        }
        return sum / size;
    }

    /** The lines that the official code prints. */
    public List<String> printed() {
        List<String> lines = new ArrayList<>();
        metrics.forEach((name, value) -> {
            if (consistencyAsked || !name.equals("consistency")) {
                lines.add("%s: %s%%".formatted(title(name), PythonText.fixed(value, 2)));
            }
        });
        lines.add("Distribution: %s (lower is better)".formatted(PythonText.fixed(distribution, 2)));
        groups.forEach((name, means) -> {
            lines.add(TITLES.get(name) + ":");
            means.counts().keySet().stream()
                    .sorted(Comparator.comparingInt(GqaScore::number).thenComparing(Comparator.naturalOrder()))
                    .forEach(key -> lines.add("  %s: %s%% (%d questions)"
                            .formatted(key, PythonText.fixed(means.mean(key) * 100, 2), means.count(key))));
        });
        return lines;
    }

    private static String title(String metric) {
        return Character.toUpperCase(metric.charAt(0)) + metric.substring(1);
    }

    private static int number(String key) {
        return key.matches("\\d+") ? Integer.parseInt(key) : 0;
    }
}
