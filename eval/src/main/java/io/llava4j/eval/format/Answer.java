package io.llava4j.eval.format;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of a LLaVA answer file (docs/reference/evaluation.md#file-formats).
 *
 * @param id the question's id
 * @param prompt the question's text
 * @param text what the model said
 * @param answerId 22 characters, unique per answer
 * @param modelId the model's name
 * @param options what was to choose from, which MMBench's files keep; null elsewhere
 * @param truncated whether a limit ended the answer before the model did; {@code metadata.finish_reason} is then
 *     {@code length}
 */
public record Answer(
        QuestionId id,
        String prompt,
        String text,
        String answerId,
        String modelId,
        @Nullable List<String> options,
        boolean truncated) {
    /** A line without options of an answer that ended by itself. */
    public Answer(QuestionId id, String prompt, String text, String answerId, String modelId) {
        this(id, prompt, text, answerId, modelId, null, false);
    }
}
