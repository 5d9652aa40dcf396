package io.llava4j.app.run;

import io.llava4j.DataException;
import io.llava4j.eval.report.TrainingCurve;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads {@code metrics.jsonl} of a training run. */
public final class MetricsFile {
    /** Its name in a run's folder. */
    public static final String NAME = "metrics.jsonl";

    private static final String BY_SOURCE = "loss_by_source";

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

    /**
     * Losses by source; a step has those of its samples.
     *
     * @param name of the run, to which each curve adds its source
     * @throws DataException if the file cannot be read
     */
    public static List<TrainingCurve> bySource(String name, Path file) {
        List<JsonNode> lines = lines(file);
        Set<String> sources = new TreeSet<>();
        lines.forEach(line -> sources.addAll(line.path(BY_SOURCE).propertyNames()));
        return sources.stream()
                .map(source -> {
                    List<JsonNode> own = lines.stream()
                            .filter(line -> line.path(BY_SOURCE).has(source))
                            .toList();
                    double[] losses = own.stream()
                            .mapToDouble(
                                    line -> line.path(BY_SOURCE).path(source).asDouble(Double.NaN))
                            .toArray();
                    return new TrainingCurve(
                            name + " " + source, column(own, "step"), losses, column(own, "learning_rate"));
                })
                .toList();
    }

    private static TrainingCurve curve(String name, Path file, String key) {
        List<JsonNode> lines =
                lines(file).stream().filter(line -> line.has(key)).toList();
        return new TrainingCurve(name, column(lines, "step"), column(lines, key), column(lines, "learning_rate"));
    }

    private static List<JsonNode> lines(Path file) {
        JsonMapper json = JsonMapper.builder().build();
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                lines.add(json.readTree(line));
            }
            return lines;
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
