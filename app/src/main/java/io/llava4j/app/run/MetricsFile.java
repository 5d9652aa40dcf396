package io.llava4j.app.run;

import io.llava4j.DataException;
import io.llava4j.eval.report.TrainingCurve;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads {@code metrics.jsonl} of a training run. */
public final class MetricsFile {
    /** Its name in a run's folder. */
    public static final String NAME = "metrics.jsonl";

    private MetricsFile() {}

    /**
     * Loss and learning rate by step.
     *
     * @param name of the curve
     * @throws DataException if the file cannot be read
     */
    public static TrainingCurve curve(String name, Path file) {
        return curve(name, file, "loss");
    }

    /**
     * Held-out loss by step; no steps if the run has no evaluation.
     *
     * @param name of the curve
     * @throws DataException if the file cannot be read
     */
    public static TrainingCurve heldOut(String name, Path file) {
        return curve(name, file, "evaluation_loss");
    }

    private static TrainingCurve curve(String name, Path file, String key) {
        JsonMapper json = JsonMapper.builder().build();
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                JsonNode read = json.readTree(line);
                if (read.has(key)) {
                    lines.add(read);
                }
            }
            return new TrainingCurve(name, column(lines, "step"), column(lines, key), column(lines, "learning_rate"));
        } catch (IOException | JacksonException e) {
            throw new DataException(
                    "%s: cannot be read, so there is no curve (%s); run the stage again"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static double[] column(List<JsonNode> lines, String key) {
        return lines.stream()
                .mapToDouble(line -> line.path(key).asDouble(Double.NaN))
                .toArray();
    }
}
