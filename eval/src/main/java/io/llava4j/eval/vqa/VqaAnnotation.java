package io.llava4j.eval.vqa;

import io.llava4j.eval.format.QuestionId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What people answered to one question, in VQA v2.0's schema.
 *
 * @param id the question's id
 * @param questionType first words of the question, or the name of its kind
 * @param answerType {@code yes/no}, {@code number} or {@code other}
 * @param answers ten in VQAv2
 */
public record VqaAnnotation(QuestionId id, String questionType, String answerType, List<HumanAnswer> answers) {
    /**
     * One person's answer. The official leave-one-out leaves out every entry equal in all three fields.
     *
     * @param text the answer
     * @param confidence {@code yes}, {@code maybe} or {@code no}
     * @param id position among the answers of the question
     */
    public record HumanAnswer(
            String text,
            @Nullable String confidence,
            @Nullable QuestionId id) {
        /** The same entry with another wording of the answer. */
        HumanAnswer withText(String other) {
            return new HumanAnswer(other, confidence, id);
        }
    }
}
