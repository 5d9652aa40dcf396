package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A judge's review of two answers: a line of LLaVA-Bench's review files.
 *
 * @param id 1-based
 * @param questionId the question's
 * @param answer1Id the reference answer's
 * @param answer2Id the model's
 * @param category {@code llava_bench_<kind>}; null in old files
 * @param content what the judge said
 * @param points for the reference and for the model; -1 and -1 where they could not be read
 */
public record Review(
        long id,
        QuestionId questionId,
        Object answer1Id,
        Object answer2Id,
        @Nullable String category,
        String content,
        List<Number> points) {
    private static final List<Number> FAILED = List.of(-1, -1);

    /**
     * Points in the first line of a reply: two numbers with exactly one space or comma between them, else -1 and -1.
     * {@code 8, 9} has both and fails.
     */
    static List<Number> parse(String reply) {
        List<String> words = PythonText.splitAtSpaces(reply.split("\n", 2)[0].replace(',', ' '));
        if (words.size() != 2) {
            return FAILED;
        }
        OptionalDouble first = PythonText.parseFloat(words.getFirst());
        OptionalDouble second = PythonText.parseFloat(words.getLast());
        return first.isPresent() && second.isPresent() ? List.of(first.getAsDouble(), second.getAsDouble()) : FAILED;
    }

    /** Whether no points could be read; old files do not distinguish it from a judge's own -1. */
    boolean failed() {
        return reference() == -1 && model() == -1;
    }

    double reference() {
        return points.getFirst().doubleValue();
    }

    double model() {
        return points.getLast().doubleValue();
    }

    /** The line of a review file, without its end. */
    public String render() {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", id);
        line.put("question_id", questionId);
        line.put("answer1_id", answer1Id);
        line.put("answer2_id", answer2Id);
        line.put("category", category == null ? "" : category);
        line.put("content", content);
        line.put("tuple", points);
        return PythonJson.dumps(line);
    }

    /** Whether the first record of a file is a review. */
    static boolean isReviewFile(Path file) {
        boolean[] review = {false};
        int[] seen = {0};
        JsonFiles.lines(file, BrokenLines.REFUSE, line -> {
            if (seen[0]++ == 0) {
                review[0] = line.node().has("tuple") || line.node().has("score");
            }
        });
        return review[0];
    }

    /** Reads a review file. */
    public static List<Review> read(Path file) {
        List<Review> reviews = new ArrayList<>();
        JsonFiles.lines(file, BrokenLines.REFUSE, line -> reviews.add(of(line)));
        if (reviews.isEmpty()) {
            throw new DataException(file + ": holds no reviews");
        }
        return reviews;
    }

    private static Review of(JsonRecord line) {
        JsonNode tuple = line.node().has("tuple")
                ? line.node().get("tuple")
                : line.node().path("score");
        if (!tuple.isArray()
                || tuple.size() != 2
                || !tuple.get(0).isNumber()
                || !tuple.get(1).isNumber()) {
            throw new DataException(line.where() + ": 'tuple' must be two numbers");
        }
        String content = line.optionalText("content");
        return new Review(
                line.node().path("id").asLong(0),
                line.id("question_id"),
                line.node().path("answer1_id").asString(""),
                line.node().path("answer2_id").asString(""),
                line.optionalText("category"),
                content == null ? "" : content,
                List.of(tuple.get(0).doubleValue(), tuple.get(1).doubleValue()));
    }
}
