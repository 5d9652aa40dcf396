package io.llava4j.eval.run;

import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.QuestionId;

/**
 * Identifies the question of an answer. The id alone is not enough: TextVQA and MME ask several questions under the id of an
 * image.
 *
 * @param id the question's id
 * @param prompt the question as the answer file keeps it
 */
record AnswerKey(QuestionId id, String prompt) {
    static AnswerKey of(Answer answer) {
        return new AnswerKey(answer.id(), answer.prompt());
    }
}
