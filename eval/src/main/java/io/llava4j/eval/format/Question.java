package io.llava4j.eval.format;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of a LLaVA question file (docs/reference/evaluation.md#file-formats).
 *
 * @param id unique in its file
 * @param image path under the image folder; null for a question without an image
 * @param text what is sent after {@code <image>\n}, response-format prompt included
 * @param category POPE's split, LLaVA-Bench's kind; {@code default} elsewhere
 * @param options what is to choose from, where the answer file keeps it (MMBench); null elsewhere
 */
public record Question(
        QuestionId id,
        @Nullable String image,
        String text,
        String category,
        @Nullable List<String> options) {
    /** A question whose answer file keeps no options. */
    public Question(QuestionId id, @Nullable String image, String text, String category) {
        this(id, image, text, category, null);
    }
}
