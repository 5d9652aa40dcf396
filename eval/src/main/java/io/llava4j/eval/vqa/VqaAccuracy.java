package io.llava4j.eval.vqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.Means;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * VQA accuracy: per question the mean, over every human answer left out in turn, of {@code min(1, matches / 3)} among the
 * others (docs/reference/evaluation.md#vqa-accuracy), under the rules of the codes that use it. Annotations are added one by one, so that a
 * large file need not be held.
 */
public final class VqaAccuracy {
    /** What is compared with what. */
    public enum Rule {
        /**
         * The official VQA metric: answers are normalised <em>only where the human answers are not all the same</em>, so
         * the prediction {@code Yes} scores 0 against ten times {@code yes}.
         */
        VQA {
            @Override
            double accuracy(List<VqaAnnotation.HumanAnswer> humans, String answer, Cache cache) {
                List<VqaAnnotation.HumanAnswer> truths = new ArrayList<>(humans.size());
                Set<String> different = new HashSet<>();
                for (VqaAnnotation.HumanAnswer human : humans) {
                    String flat = OfficialVqaNormaliser.flat(human.text());
                    truths.add(human.withText(flat));
                    different.add(flat);
                }
                String prediction = OfficialVqaNormaliser.flat(answer);
                if (different.size() > 1) {
                    prediction = OfficialVqaNormaliser.normalise(prediction);
                    truths.replaceAll(t -> t.withText(cache.normalise(t.text(), OfficialVqaNormaliser::normalise)));
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
        },
        /** VizWiz's code: only the prediction is normalised, with typographic apostrophes. */
        VIZWIZ {
            @Override
            double accuracy(List<VqaAnnotation.HumanAnswer> humans, String answer, Cache cache) {
                String prediction = VqaWordRules.digitsAndArticles(
                        VqaWordRules.punctuation(VqaWordRules.flat(answer)), VqaWordRules.TYPOGRAPHIC_CONTRACTIONS);
                return leaveOneOut(
                        humans.stream().map(VqaAnnotation.HumanAnswer::text).toList(), prediction);
            }
        },
        /** M4C's evaluator: both sides go through {@link M4cNormaliser}. */
        M4C {
            @Override
            double accuracy(List<VqaAnnotation.HumanAnswer> humans, String answer, Cache cache) {
                return leaveOneOut(
                        humans.stream()
                                .map(h -> cache.normalise(h.text(), M4cNormaliser::normalise))
                                .toList(),
                        M4cNormaliser.normalise(answer));
            }
        };

        abstract double accuracy(List<VqaAnnotation.HumanAnswer> humans, String answer, Cache cache);

        /**
         * Accuracy of one answer.
         *
         * @param humans at least one
         * @param answer the model's
         * @return 0..1
         */
        public double accuracy(List<VqaAnnotation.HumanAnswer> humans, String answer) {
            return accuracy(humans, answer, new Cache());
        }
    }

    /** Human answers repeat a lot; normalising each once makes scoring several times faster. */
    static final class Cache {
        private static final int LARGEST = 200_000;
        private final Map<String, String> normalised = new HashMap<>();

        String normalise(String text, UnaryOperator<String> rule) {
            String known = normalised.get(text);
            if (known == null) {
                known = rule.apply(text);
                if (normalised.size() < LARGEST) {
                    normalised.put(text, known);
                }
            }
            return known;
        }
    }

    private final Rule rule;
    private final Map<QuestionId, String> answers;
    private final Cache cache = new Cache();
    private final Map<QuestionId, Double> perQuestion = new LinkedHashMap<>();
    private final List<QuestionId> missing = new ArrayList<>();
    private final Means overall = new Means();
    private final Means byQuestionType = new Means();
    private final Means byAnswerType = new Means();

    /**
     * Starts a count.
     *
     * @param answers by question id
     */
    public VqaAccuracy(Rule rule, Map<QuestionId, String> answers) {
        this.rule = rule;
        this.answers = answers;
    }

    /** Scores a results file by the official VQA metric. */
    public static VqaScore score(List<VqaAnnotation> annotations, Map<QuestionId, String> answers) {
        VqaAccuracy accuracy = new VqaAccuracy(Rule.VQA, answers);
        annotations.forEach(accuracy::add);
        return accuracy.score();
    }

    /** Scores the answer to one question; the order of calls is the order of summation. */
    public void add(VqaAnnotation annotation) {
        String answer = answers.get(annotation.id());
        if (answer == null) {
            missing.add(annotation.id());
        }
        double value = rule.accuracy(annotation.answers(), answer == null ? "" : answer, cache);
        perQuestion.put(annotation.id(), 100 * value);
        overall.add("", value);
        byQuestionType.add(annotation.questionType(), value);
        byAnswerType.add(annotation.answerType(), value);
    }

    /**
     * The score of all that was added.
     *
     * @throws DataException if the ids of answers and annotations are not the same set, as the official loader demands
     */
    public VqaScore score() {
        if (!missing.isEmpty() || answers.size() != perQuestion.size()) {
            List<QuestionId> unknown = answers.keySet().stream()
                    .filter(id -> !perQuestion.containsKey(id))
                    .toList();
            throw new DataException(
                    ("the answers do not cover exactly the annotated questions: %d without an answer %s, "
                                    + "%d answers to unknown questions %s; official scoring refuses such a file")
                            .formatted(missing.size(), some(missing), unknown.size(), some(unknown)));
        }
        return new VqaScore(
                overall.percent().getOrDefault("", 0.0),
                byQuestionType.percent(),
                byAnswerType.percent(),
                byQuestionType.counts(),
                byAnswerType.counts(),
                perQuestion);
    }

    private static double leaveOneOut(List<String> truths, String prediction) {
        int matches = 0;
        for (String truth : truths) {
            matches += truth.equals(prediction) ? 1 : 0;
        }
        double sum = 0;
        for (String truth : truths) {
            sum += Math.min(1, (matches - (truth.equals(prediction) ? 1 : 0)) / 3.0);
        }
        return sum / truths.size();
    }

    private static List<QuestionId> some(List<QuestionId> ids) {
        return ids.subList(0, Math.min(5, ids.size()));
    }
}
