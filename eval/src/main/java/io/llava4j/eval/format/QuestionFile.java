package io.llava4j.eval.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** LLaVA's question files: JSON lines of {@code question_id, image, text, category}; {@code image} of several images is an array. */
public final class QuestionFile {
    private QuestionFile() {}

    /**
     * Reads a question file. Ids may repeat: TextVQA and MME use the image's, and SEED-Bench holds one twice.
     *
     * @throws io.llava4j.DataException naming file and line for broken JSON or a missing field
     */
    public static List<Question> read(Path file) {
        List<Question> questions = new ArrayList<>();
        JsonFiles.lines(
                file,
                JsonFiles.BrokenLines.REFUSE,
                line -> questions.add(new Question(
                        line.id("question_id"),
                        images(line),
                        line.text("text"),
                        line.scalar("category", "default"),
                        null)));
        return questions;
    }

    /** Writes a question file atomically, byte for byte as Python's {@code json.dumps} would. */
    public static void write(Path file, List<Question> questions) {
        PythonJson.writeLines(file, questions.stream().map(question -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("question_id", question.id());
            if (!question.images().isEmpty()) {
                line.put("image", question.images().size() == 1 ? question.image() : question.images());
            }
            line.put("text", question.text());
            line.put("category", question.category());
            return line;
        }));
    }

    private static List<String> images(JsonRecord line) {
        JsonNode image = line.node().path("image");
        if (image.isArray()) {
            return line.texts("image");
        }
        String one = line.optionalText("image");
        return one == null ? List.of() : List.of(one);
    }
}
