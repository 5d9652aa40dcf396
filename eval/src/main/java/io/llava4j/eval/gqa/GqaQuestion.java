package io.llava4j.eval.gqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A question of GQA.
 *
 * @param question without a response-format prompt
 * @param image id of the image
 * @param balanced whether it counts
 * @param globalGroup questions whose answers share a distribution; null for none
 * @param answer the truth
 * @param steps operations of its program that reason, see {@link #read}
 * @param detailedType its finest type
 * @param semanticType what it is about
 * @param structuralType what kind of answer it asks for
 * @param entailed ids of questions whose answers follow from this one
 */
public record GqaQuestion(
        String question,
        String image,
        boolean balanced,
        @Nullable String globalGroup,
        String answer,
        int steps,
        String detailedType,
        String semanticType,
        String structuralType,
        List<String> entailed) {
    private static final List<String> NO_STEP = List.of("exist", "query: name", "choose name");

    /**
     * Reads {@code {id: question}}. An operation is no step if {@code operation: argument} contains {@code exist},
     * {@code query: name} or {@code choose name}, as in the official code.
     */
    public static Map<String, GqaQuestion> read(Path file) {
        Map<String, GqaQuestion> questions = new LinkedHashMap<>();
        JsonFiles.fields(file, (id, record) -> questions.put(id, of(record)));
        if (questions.isEmpty()) {
            throw new DataException(file + ": holds no questions; is it the right file?");
        }
        return questions;
    }

    /** Words of the question. */
    int words() {
        return PythonText.split(question).size();
    }

    /** Whether the answer is chosen rather than named. */
    boolean binary() {
        return !structuralType.equals("query");
    }

    private static GqaQuestion of(JsonRecord record) {
        int steps = 0;
        for (JsonRecord operation : record.objects("semantic")) {
            String text = operation.text("operation") + ": " + operation.text("argument");
            steps += NO_STEP.stream().anyMatch(text::contains) ? 0 : 1;
        }
        JsonRecord types = record.object("types");
        return new GqaQuestion(
                record.text("question"),
                record.scalar("imageId", ""),
                record.node().path("isBalanced").booleanValue(),
                record.object("groups").optionalText("global"),
                record.text("answer"),
                steps,
                orEmpty(types.optionalText("detailed")),
                orEmpty(types.optionalText("semantic")),
                orEmpty(types.optionalText("structural")),
                record.texts("entailed"));
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }
}
