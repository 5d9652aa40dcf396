package io.llava4j.eval.vqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.QuestionId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The official VQA accuracy: per question the mean, over every human answer left out in turn, of {@code min(1, matches /
 * 3)} among the others (spec/evaluation 2, 3). Equal to the official script to the last bit.
 *
 * <p>Answers are normalised <em>only where the human answers are not all the same</em>: the prediction {@code Yes} scores
 * 0 against ten times {@code yes}. That is the official behaviour.
 */
public final class VqaAccuracy {
    private VqaAccuracy() {}

    /**
     * Scores a results file.
     *
     * @param annotations in file order, which fixes the order of summation
     * @param answers by question id
     * @throws DataException if the ids of answers and annotations are not the same set, as the official loader demands
     */
    public static VqaScore score(List<VqaAnnotation> annotations, Map<QuestionId, String> answers) {
        requireSameIds(annotations, answers);
        Map<QuestionId, Double> perQuestion = new LinkedHashMap<>();
        Means overall = new Means();
        Means byQuestionType = new Means();
        Means byAnswerType = new Means();
        for (VqaAnnotation annotation : annotations) {
            double accuracy = accuracy(annotation.answers(), answers.getOrDefault(annotation.id(), ""));
            perQuestion.put(annotation.id(), 100 * accuracy);
            overall.add("", accuracy);
            byQuestionType.add(annotation.questionType(), accuracy);
            byAnswerType.add(annotation.answerType(), accuracy);
        }
        return new VqaScore(
                overall.percent().getOrDefault("", 0.0),
                byQuestionType.percent(),
                byAnswerType.percent(),
                byQuestionType.counts,
                byAnswerType.counts,
                perQuestion);
    }

    /**
     * Accuracy of one answer.
     *
     * @param humanAnswers at least one
     * @param answer the model's
     * @return 0..1
     */
    public static double accuracy(List<VqaAnnotation.HumanAnswer> humanAnswers, String answer) {
        List<VqaAnnotation.HumanAnswer> truths = new ArrayList<>();
        Set<String> different = new HashSet<>();
        for (VqaAnnotation.HumanAnswer human : humanAnswers) {
            String flat = OfficialVqaNormaliser.flat(human.text());
            truths.add(new VqaAnnotation.HumanAnswer(flat, human.confidence(), human.id()));
            different.add(flat);
        }
        String prediction = OfficialVqaNormaliser.flat(answer);
        if (different.size() > 1) {
            prediction = OfficialVqaNormaliser.normalise(prediction);
            truths.replaceAll(t ->
                    new VqaAnnotation.HumanAnswer(OfficialVqaNormaliser.normalise(t.text()), t.confidence(), t.id()));
        }
        double sum = 0;
        for (VqaAnnotation.HumanAnswer leftOut : truths) {
            int matches = 0;
            for (VqaAnnotation.HumanAnswer other : truths) {
                if (other.text().equals(prediction) && !other.equals(leftOut)) {
                    matches++;
                }
            }
            sum += Math.min(1, matches / 3.0);
        }
        return sum / truths.size();
    }

    private static void requireSameIds(List<VqaAnnotation> annotations, Map<QuestionId, String> answers) {
        Set<QuestionId> unknown = new HashSet<>(answers.keySet());
        List<QuestionId> missing = new ArrayList<>();
        for (VqaAnnotation annotation : annotations) {
            if (!unknown.remove(annotation.id())) {
                missing.add(annotation.id());
            }
        }
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw new DataException(
                    ("the answers do not cover exactly the annotated questions: %d without an answer %s, "
                                    + "%d answers to unknown questions %s; official scoring refuses such a file")
                            .formatted(missing.size(), some(missing), unknown.size(), some(List.copyOf(unknown))));
        }
    }

    private static List<QuestionId> some(List<QuestionId> ids) {
        return ids.subList(0, Math.min(5, ids.size()));
    }

    /** Sums in order of arrival, as Python's plain {@code sum}; bit equality depends on it. */
    private static final class Means {
        private final Map<String, Double> sums = new LinkedHashMap<>();
        private final Map<String, Integer> counts = new LinkedHashMap<>();

        void add(String key, double accuracy) {
            sums.merge(key, accuracy, Double::sum);
            counts.merge(key, 1, Integer::sum);
        }

        Map<String, Double> percent() {
            Map<String, Double> means = new LinkedHashMap<>();
            sums.forEach((key, sum) -> means.put(key, 100 * sum / counts.getOrDefault(key, 1)));
            return means;
        }
    }
}
