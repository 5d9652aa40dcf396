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
        JsonMapper json = JsonMapper.builder().build();
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                lines.add(json.readTree(line));
            }
            return new TrainingCurve(
                    name, column(lines, "step"), column(lines, "loss"), column(lines, "learning_rate"));
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
