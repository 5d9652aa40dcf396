package io.llava4j.eval.report;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a run of {@code llava eval} measured: {@code results.json}, and in the folder of every task {@code scores.json} with
 * each question's contribution. The files do not depend on time, speed, batches or shards.
 *
 * @param model names the model
 * @param blind whether it was asked without images
 * @param limit questions of each task; 0 for all
 * @param customNote what the questions are if they are not the published ones ({@code unofficial} in the file); else empty
 * @param tasks in the order of the command line
 */
public record RunResults(String model, boolean blind, int limit, String customNote, List<TaskResult> tasks) {
    /** Name of the file in a run's folder. */
    public static final String FILE = "results.json";

    private static final String SCORES = "scores.json";
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    /** The result of a task, if it was run. */
    public Optional<TaskResult> task(String name) {
        return tasks.stream().filter(task -> task.name().equals(name)).findFirst();
    }

    /** Writes both kinds of files atomically. */
    public void write(Path folder) {
        for (TaskResult task : tasks) {
            write(folder.resolve(task.name()).resolve(SCORES), task.perQuestion());
        }
        write(folder.resolve(FILE), tree());
    }

    private static void write(Path file, Object tree) {
        String json = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(tree);
        AtomicFiles.write(file, (json + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** What {@code results.json} holds. */
    public Map<String, Object> tree() {
        Map<String, Object> byTask = new LinkedHashMap<>();
        for (TaskResult task : tasks) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("title", task.benchmark().title());
            entry.put("value", task.value());
            entry.put("headline", task.headline());
            entry.put("samples", task.samples());
            if (!task.judge().isEmpty()) {
                entry.put("judge", task.judge());
            }
            UnusableImages unusable = task.unusable();
            if (unusable != null) {
                entry.put("unusable_images", unusable);
            }
            entry.put("numbers", task.numbers());
            entry.put("warnings", task.warnings());
            byTask.put(task.name(), entry);
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("model", model);
        tree.put("blind", blind);
        tree.put("limit", limit);
        if (!customNote.isEmpty()) {
            tree.put("unofficial", customNote);
        }
        tree.put("tasks", byTask);
        return tree;
    }

    /**
     * Reads a run's folder.
     *
     * @throws DataException if it holds no results or they are damaged
     */
    public static RunResults read(Path folder) {
        JsonNode tree = tree(folder.resolve(FILE));
        List<TaskResult> tasks = new ArrayList<>();
        for (Map.Entry<String, JsonNode> task : tree.path("tasks").properties()) {
            JsonNode entry = task.getValue();
            List<String> warnings = new ArrayList<>();
            entry.path("warnings").forEach(warning -> warnings.add(warning.asString("")));
            tasks.add(new TaskResult(
                    Benchmarks.named(task.getKey()),
                    entry.path("headline").asString(""),
                    numbers(entry.path("numbers")),
                    entry.path("samples").asInt(0),
                    entry.path("judge").asString(""),
                    warnings,
                    numbers(tree(folder.resolve(task.getKey()).resolve(SCORES))),
                    unusable(entry.path("unusable_images"))));
        }
        if (tasks.isEmpty()) {
            throw new DataException(folder.resolve(FILE) + ": holds no results of llava eval --tasks; run it first");
        }
        return new RunResults(
                tree.path("model").asString(""),
                tree.path("blind").asBoolean(false),
                tree.path("limit").asInt(0),
                tree.path("unofficial").asString(""),
                tasks);
    }

    private static @Nullable UnusableImages unusable(JsonNode entry) {
        return entry.isObject()
                ? new UnusableImages(
                        entry.path("policy").asString(""),
                        entry.path("images").asInt(0),
                        entry.path("questions").asInt(0),
                        entry.path("first").asString(""))
                : null;
    }

    private static JsonNode tree(Path file) {
        try {
            return JSON.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new DataException(
                    "%s: cannot be read (%s); is this the folder of a run of llava eval --tasks?".formatted(file, e),
                    e);
        } catch (JacksonException e) {
            throw new DataException(
                    "%s: not valid JSON (%s); run llava eval again".formatted(file, e.getOriginalMessage()), e);
        }
    }

    private static Map<String, Double> numbers(JsonNode object) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        object.properties().forEach(entry -> numbers.put(entry.getKey(), number(entry.getValue())));
        return numbers;
    }

    /** JSON has no NaN, so the mapper writes it as a string. */
    private static double number(JsonNode node) {
        return node.isString() ? Double.parseDouble(node.stringValue()) : node.asDouble(Double.NaN);
    }
}
