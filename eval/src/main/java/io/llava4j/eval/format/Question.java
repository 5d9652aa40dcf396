package io.llava4j.eval.format;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of a LLaVA question file (docs/reference/evaluation.md#file-formats).
 *
 * @param id unique in its file
 * @param images paths under the image folder, in the order of the prompt; empty for a question without an image
 * @param text what is sent after {@code <image>\n}, response-format prompt included
 * @param category POPE's split, LLaVA-Bench's kind; {@code default} elsewhere
 * @param options what is to choose from, where the answer file keeps it (MMBench); null elsewhere
 */
public record Question(
        QuestionId id,
        List<String> images,
        String text,
        String category,
        @Nullable List<String> options) {
    /** A question about one image, or none, whose answer file keeps no options. */
    public Question(QuestionId id, @Nullable String image, String text, String category) {
        this(id, image, text, category, null);
    }

    /** A question about one image, or none. */
    public Question(
            QuestionId id, @Nullable String image, String text, String category, @Nullable List<String> options) {
        this(id, image == null ? List.of() : List.of(image), text, category, options);
    }

    /** The only image, or the first; null for a question without an image. */
    public @Nullable String image() {
        return images.isEmpty() ? null : images.getFirst();
    }

    /** The same question about images of other names. */
    public Question withImages(List<String> names) {
        return new Question(id, names, text, category, options);
    }

    /** The same question, whose text loses an end if it has it. */
    public Question withoutEnd(String end) {
        return text.endsWith(end)
                ? new Question(id, images, text.substring(0, text.length() - end.length()), category, options)
                : this;
    }
}
