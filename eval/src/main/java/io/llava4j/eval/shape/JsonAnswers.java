package io.llava4j.eval.shape;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers that the prompt requests as JSON. The question file is LLaVA's; its texts name the fields. The annotations are JSON lines of
 * {@code question_id} and {@code fields}, the values that are right; a list means that any of its values is.
 */
public final class JsonAnswers {
    /** Questions and right fields. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("json_questions.jsonl"),
                    FileRole.ANNOTATIONS, List.of("json_fields.jsonl"),
                    FileRole.IMAGES, List.of("images")),
            List.of(FileRole.QUESTIONS, FileRole.ANNOTATIONS));

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonAnswers() {}

    /** Percent of answers that are a JSON object, of fields that are right, and of answers right in all fields. */
    public static Score score(ScoreInput input) {
        Map<QuestionId, JsonNode> truths = new LinkedHashMap<>();
        Path file = input.files().require(FileRole.ANNOTATIONS);
        JsonFiles.lines(
                file,
                BrokenLines.REFUSE,
                line -> truths.put(line.id("question_id"), line.object("fields").node()));
        if (truths.isEmpty()) {
            throw new DataException(file + ": holds no annotations");
        }
        List<Answer> answers = AnswerFile.readSome(input.answers());
        Map<QuestionId, Answer> last = new LinkedHashMap<>();
        answers.forEach(answer -> last.put(answer.id(), answer));
        Means means = new Means();
        Map<String, Double> perQuestion = new LinkedHashMap<>();
        truths.forEach((id, fields) -> {
            Answer answer = last.get(id);
            JsonNode said = parse(answer == null ? "" : answer.text());
            means.add("valid", said.isObject() ? 1 : 0);
            int right = 0;
            for (Map.Entry<String, JsonNode> field : fields.properties()) {
                int same = matches(said.path(field.getKey()), field.getValue()) ? 1 : 0;
                means.add("fields", same);
                right += same;
            }
            means.add("all_fields", right == fields.size() ? 1 : 0);
            perQuestion.put(id.toString(), fields.isEmpty() ? 1.0 : (double) right / fields.size());
        });
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (String name : List.of("fields", "valid", "all_fields")) {
            numbers.put(name, 100 * means.mean(name));
        }
        return new Score(
                "fields",
                numbers,
                perQuestion,
                truths.size(),
                Coverage.of(truths.keySet(), answers.stream().map(Answer::id).toList(), 0)
                        .warnings("count as not valid"),
                null);
    }

    /** What an answer holds; empty unless the whole answer is JSON. */
    private static JsonNode parse(String text) {
        try {
            return MAPPER.readTree(PythonText.strip(text));
        } catch (JacksonException e) {
            return MAPPER.missingNode();
        }
    }

    /** Texts are compared without case and surrounding white space, numbers by value. */
    private static boolean matches(JsonNode said, JsonNode truth) {
        if (truth.isArray()) {
            return truth.valueStream().anyMatch(one -> matches(said, one));
        }
        if (truth.isNumber()) {
            return said.isNumber() && said.doubleValue() == truth.doubleValue();
        }
        if (truth.isString()) {
            return said.isString() && plain(said).equals(plain(truth));
        }
        return said.equals(truth);
    }

    private static String plain(JsonNode text) {
        return PythonText.lower(PythonText.strip(text.stringValue()));
    }
}
