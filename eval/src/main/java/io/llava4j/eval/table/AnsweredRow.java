package io.llava4j.eval.table;

import io.llava4j.eval.format.QuestionId;
import org.jspecify.annotations.Nullable;

/**
 * A row of a benchmark's table with the model's answer.
 *
 * @param <T> what a scorer reads from a row
 * @param id the question's id
 * @param truth the right answer and what else the rule needs
 * @param answer what the model said, as it stands in the answer file; null if there is no answer
 */
public record AnsweredRow<T>(
        QuestionId id, T truth, @Nullable String answer) {}
