package io.llava4j.eval.score;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The right answers of a benchmark, for display beside wrong ones. Scores never come from here: scorers read the
 * annotations themselves.
 */
public final class GroundTruth {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> IDS = List.of("question_id", "questionId", "id");
    private static final List<String> ANSWERS = List.of("multiple_choice_answer", "answers", "answer", "label");

    /** Marks records whose ids start again in every split: POPE's. */
    private static final String LABEL = "label";

    private static final String SEPARATOR = "\0";
    private static final int DEEPEST = 4;

    private final Map<String, List<String>> answers;

    private GroundTruth(Map<String, List<String>> answers) {
        this.answers = answers;
    }

    /** One right answer for each question, by the question's name in results or by its id. */
    public static GroundTruth of(Map<String, String> answers) {
        Map<String, List<String>> lists = new HashMap<>();
        answers.forEach((name, answer) -> lists.put(name, List.of(answer)));
        return new GroundTruth(lists);
    }

    /**
     * Scans the annotation file or folder: takes every JSON record that has an answer under one of the usual names, by
     * its image and question and by its id.
     */
    public static GroundTruth scan(BenchmarkFiles files) {
        Map<String, List<String>> answers = new HashMap<>();
        Path annotations = files.find(FileRole.ANNOTATIONS);
        if (annotations != null && Files.isRegularFile(annotations)) {
            read(annotations, answers);
        } else if (annotations != null && Files.isDirectory(annotations)) {
            BenchmarkFiles.matches(annotations, "*.json*").forEach(file -> read(file, answers));
        }
        return new GroundTruth(answers);
    }

    /**
     * The right answers to a question; empty if they are unknown.
     *
     * @param name the question's name in {@link Score#perQuestion()}
     */
    public List<String> answersTo(Question question, String name) {
        String firstLine = question.text().lines().findFirst().orElse("");
        List<String> exact = answers.get(question.image() + SEPARATOR + firstLine);
        return exact != null
                ? exact
                : answers.getOrDefault(question.id().value(), answers.getOrDefault(name, List.of()));
    }

    private static void read(Path file, Map<String, List<String>> found) {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            JSON.readerFor(JsonNode.class)
                    .<JsonNode>readValues(reader)
                    .forEachRemaining(node -> collect(node, null, 0, found));
        } catch (JacksonException e) {
            return; // a table or plain text: the report shows no ground truth
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }

    private static void collect(JsonNode node, @Nullable String key, int depth, Map<String, List<String>> found) {
        if (depth > DEEPEST) {
            return;
        }
        if (node.isArray()) {
            node.forEach(element -> collect(element, null, depth + 1, found));
            return;
        }
        if (!node.isObject()) {
            return;
        }
        List<String> answers = answers(node);
        String id = IDS.stream()
                .filter(node::has)
                .map(name -> node.path(name).asString(""))
                .findFirst()
                .orElse(key);
        if (id != null && !answers.isEmpty()) {
            String question = node.path("question").asString(node.path("text").asString(""));
            found.putIfAbsent(node.path("image").asString("") + SEPARATOR + question, answers);
            if (!node.has(LABEL)) {
                found.putIfAbsent(id, answers);
            }
        } else {
            node.properties().forEach(entry -> collect(entry.getValue(), entry.getKey(), depth + 1, found));
        }
    }

    private static List<String> answers(JsonNode record) {
        Set<String> answers = new LinkedHashSet<>();
        for (String name : ANSWERS) {
            JsonNode value = record.path(name);
            JsonNode choices = record.path("choices");
            if (value.isIntegralNumber() && choices.has(value.intValue())) {
                answers.add(choices.path(value.intValue()).asString(""));
            } else if (value.isArray()) {
                value.forEach(
                        one -> answers.add(one.isObject() ? one.path("answer").asString("") : one.asString("")));
            } else if (value.isString()) {
                answers.add(value.stringValue());
            }
            if (!answers.isEmpty()) {
                break;
            }
        }
        return new ArrayList<>(answers);
    }
}
