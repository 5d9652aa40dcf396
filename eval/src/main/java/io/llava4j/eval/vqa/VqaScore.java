package io.llava4j.eval.vqa;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.QuestionId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * VQA accuracies in percent, not rounded.
 *
 * @param overall mean over all questions
 * @param perQuestionType mean per question type, in order of first appearance
 * @param perAnswerType mean per answer type, in order of first appearance
 * @param questionTypeCounts questions per question type
 * @param answerTypeCounts questions per answer type
 * @param perQuestion of each question, in annotation order
 */
public record VqaScore(
        double overall,
        Map<String, Double> perQuestionType,
        Map<String, Double> perAnswerType,
        Map<String, Integer> questionTypeCounts,
        Map<String, Integer> answerTypeCounts,
        Map<QuestionId, Double> perQuestion) {

    /** Questions scored. */
    public int samples() {
        return perQuestion.size();
    }

    /** Accuracy and its parts by name. */
    public Map<String, Double> numbers() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("accuracy", overall);
        perAnswerType.forEach((type, value) -> numbers.put("answer_type/" + type, value));
        perQuestionType.forEach((type, value) -> numbers.put("question_type/" + type, value));
        return numbers;
    }

    /** What each question contributes, 0..1. */
    public Map<String, Double> shares() {
        Map<String, Double> shares = LinkedHashMap.newLinkedHashMap(perQuestion.size());
        perQuestion.forEach((id, value) -> shares.put(id.toString(), value / 100));
        return shares;
    }

    /**
     * The same score rounded as the official code prints it.
     *
     * @param digits decimal places; 2 is official
     */
    public VqaScore rounded(int digits) {
        return new VqaScore(
                PythonText.round(overall, digits),
                rounded(perQuestionType, digits),
                rounded(perAnswerType, digits),
                questionTypeCounts,
                answerTypeCounts,
                rounded(perQuestion, digits));
    }

    private static <K> Map<K, Double> rounded(Map<K, Double> values, int digits) {
        Map<K, Double> out = new LinkedHashMap<>();
        values.forEach((key, value) -> out.put(key, PythonText.round(value, digits)));
        return out;
    }
}
