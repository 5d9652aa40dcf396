package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.choice.MmBench;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.mme.Mme;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
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
 * Right answers to be shown beside wrong ones. For reading only: whatever record of an annotation file has an answer under
 * one of the usual names is taken by its image and question, or else by its id; scores never come from here.
 */
final class GroundTruth {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> IDS = List.of("question_id", "questionId", "id");
    private static final List<String> ANSWERS = List.of("multiple_choice_answer", "answers", "answer", "label");

    /** Ids of POPE's labels begin anew in every split. */
    private static final String LABEL = "label";

    private static final String SEPARATOR = "\0";
    private static final int DEEPEST = 4;

    private GroundTruth() {}

    static Map<String, List<String>> of(BenchmarkFiles files) {
        Map<String, List<String>> truths = new HashMap<>();
        Path annotations = files.find(FileRole.ANNOTATIONS);
        if (annotations != null && files.layout().equals(Mme.LAYOUT)) {
            Mme.truths(annotations).forEach((name, truth) -> truths.put(name, List.of(truth)));
        } else if (annotations != null && annotations.toString().endsWith(".tsv")) {
            MmBench.truths(annotations).forEach((index, truth) -> truths.put(index, List.of(truth)));
        } else if (annotations != null && Files.isRegularFile(annotations)) {
            read(annotations, truths);
        } else if (annotations != null && Files.isDirectory(annotations)) {
            BenchmarkFiles.matches(annotations, "*.json*").forEach(file -> read(file, truths));
        }
        return truths;
    }

    /**
     * The answers to a question, or an empty list where the files do not tell.
     *
     * @param name of the question in results
     */
    static List<String> to(Map<String, List<String>> truths, Question question, String name) {
        String first = question.text().lines().findFirst().orElse("");
        List<String> exact = truths.get(question.image() + SEPARATOR + first);
        return exact != null ? exact : truths.getOrDefault(question.id().value(), truths.getOrDefault(name, List.of()));
    }

    private static void read(Path file, Map<String, List<String>> truths) {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            JSON.readerFor(JsonNode.class)
                    .<JsonNode>readValues(reader)
                    .forEachRemaining(node -> collect(node, null, 0, truths));
        } catch (JacksonException e) {
            return; // a table or text, of which the report shows no truths
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }

    private static void collect(JsonNode node, @Nullable String key, int depth, Map<String, List<String>> truths) {
        if (depth > DEEPEST) {
            return;
        }
        if (node.isArray()) {
            node.forEach(element -> collect(element, null, depth + 1, truths));
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
            truths.putIfAbsent(node.path("image").asString("") + SEPARATOR + question, answers);
            if (!node.has(LABEL)) {
                truths.putIfAbsent(id, answers);
            }
        } else {
            node.properties().forEach(entry -> collect(entry.getValue(), entry.getKey(), depth + 1, truths));
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
