package io.llava4j.eval.pope;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One line of POPE's label files {@code coco_pope_<split>.json} (JSON lines, despite the name).
 *
 * @param id 1-based in its file
 * @param image file name
 * @param text the question, without a response-format prompt
 * @param label {@code yes} or {@code no}
 */
public record PopeLabel(QuestionId id, String image, String text, String label) {
    /** The labels that POPE defines. */
    static final Set<String> KNOWN = Set.of("yes", "no");

    /** A label by whether the object is there. */
    static PopeLabel of(QuestionId id, String image, String text, boolean yes) {
        return new PopeLabel(id, image, text, yes ? "yes" : "no");
    }

    /** Whether the object is there; as in the official script, any label but {@code no} counts as yes. */
    public boolean yes() {
        return !label.equals("no");
    }

    /** Reads a label file; only {@code label} is needed, as the official script reads nothing else. */
    public static List<PopeLabel> read(Path file) {
        List<PopeLabel> labels = new ArrayList<>();
        JsonFiles.lines(
                file,
                JsonFiles.BrokenLines.REFUSE,
                line -> labels.add(new PopeLabel(
                        line.node().has("question_id") ? line.id("question_id") : QuestionId.of(labels.size() + 1),
                        line.scalar("image", ""),
                        line.scalar("text", ""),
                        line.text("label"))));
        if (labels.isEmpty()) {
            throw new DataException(file + ": holds no labels");
        }
        return labels;
    }

    /** Writes a label file atomically. */
    public static void write(Path file, List<PopeLabel> labels) {
        PythonJson.writeLines(file, labels.stream().map(label -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("question_id", label.id());
            line.put("image", label.image());
            line.put("text", label.text());
            line.put("label", label.label());
            return line;
        }));
    }
}
