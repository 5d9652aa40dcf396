package io.llava4j.eval.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** LLaVA's question files: JSON lines of {@code question_id, image, text, category}. */
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
                        line.optionalText("image"),
                        line.text("text"),
                        line.scalar("category", "default"))));
        return questions;
    }

    /** Writes a question file atomically, byte for byte as Python's {@code json.dumps} would. */
    public static void write(Path file, List<Question> questions) {
        PythonJson.writeLines(file, questions.stream().map(question -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("question_id", question.id());
            if (question.image() != null) {
                line.put("image", question.image());
            }
            line.put("text", question.text());
            line.put("category", question.category());
            return line;
        }));
    }
}
