package io.llava4j.eval.format;

import io.llava4j.DataException;
import io.llava4j.checkpoint.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** LLaVA's question files: JSON lines of {@code question_id, image, text, category}. */
public final class QuestionFile {
    private QuestionFile() {}

    /**
     * Reads a question file.
     *
     * @throws DataException naming file and line for broken JSON, a missing field, or a question asked twice; ids alone
     *     may repeat, since TextVQA and MME use the picture's
     */
    public static List<Question> read(Path file) {
        List<Question> questions = new ArrayList<>();
        Map<Asked, String> places = new HashMap<>();
        JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> {
            Question question = new Question(
                    line.id("question_id"),
                    line.optionalText("image"),
                    line.text("text"),
                    line.scalar("category", "default"));
            String earlier = places.putIfAbsent(new Asked(question.id(), question.text()), line.where());
            if (earlier != null) {
                throw new DataException("%s: question_id %s was already asked the same at %s; remove one of them"
                        .formatted(line.where(), question.id(), earlier));
            }
            questions.add(question);
        });
        return questions;
    }

    private record Asked(QuestionId id, String text) {}

    /** Writes a question file atomically, byte for byte as Python's {@code json.dumps} would. */
    public static void write(Path file, List<Question> questions) {
        StringBuilder out = new StringBuilder();
        for (Question question : questions) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("question_id", question.id());
            if (question.image() != null) {
                line.put("image", question.image());
            }
            line.put("text", question.text());
            line.put("category", question.category());
            out.append(PythonJson.dumps(line)).append('\n');
        }
        AtomicFiles.write(file, out.toString().getBytes(StandardCharsets.UTF_8));
    }
}
