package io.llava4j.eval.format;

import io.llava4j.DataException;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * LLaVA's answer files: JSON lines of {@code question_id, prompt, text, answer_id, model_id, metadata}; MMBench's also
 * have {@code round_id, options, option_char}. The metadata of a truncated answer say {@code "finish_reason": "length"}.
 */
public final class AnswerFile {
    private static final String OPTIONS = "options";
    private static final String METADATA = "metadata";
    private static final String FINISH_REASON = "finish_reason";
    private static final String LENGTH = FinishReason.MAX_NEW_TOKENS.label();
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");

    private AnswerFile() {}

    /**
     * Reads an answer file in file order; ids may repeat or be unknown, which scorers report.
     *
     * @throws DataException naming file and line for broken JSON or a missing field
     */
    public static List<Answer> read(Path file) {
        List<Answer> answers = new ArrayList<>();
        JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> answers.add(parse(line)));
        return answers;
    }

    /**
     * The same for scoring, which needs answers.
     *
     * @throws DataException also where there are none
     */
    public static List<Answer> readSome(Path file) {
        List<Answer> answers = read(file);
        if (answers.isEmpty()) {
            throw new DataException(file + ": holds no answers");
        }
        return answers;
    }

    /** Reads one record; only {@code question_id} and {@code text} are needed. */
    public static Answer parse(JsonRecord line) {
        return new Answer(
                line.id("question_id"),
                orEmpty(line.optionalText("prompt")),
                line.text("text"),
                orEmpty(line.optionalText("answer_id")),
                orEmpty(line.optionalText("model_id")),
                line.node().path(OPTIONS).isArray()
                        ? line.node()
                                .path(OPTIONS)
                                .valueStream()
                                .map(option -> option.asString(""))
                                .toList()
                        : null,
                LENGTH.equals(line.node().path(METADATA).path(FINISH_REASON).asString("")));
    }

    /** One line without its line end, as LLaVA's scripts write it. */
    public static String render(Answer answer) {
        Map<String, Object> line = new LinkedHashMap<>();
        List<String> options = answer.options();
        line.put("question_id", answer.id());
        if (options != null) {
            line.put("round_id", 0);
        }
        line.put("prompt", answer.prompt());
        line.put("text", answer.text());
        if (options != null) {
            line.put(OPTIONS, options);
            line.put("option_char", LETTERS.subList(0, Math.min(options.size(), LETTERS.size())));
        }
        line.put("answer_id", answer.answerId());
        line.put("model_id", answer.modelId());
        line.put(METADATA, answer.truncated() ? Map.of(FINISH_REASON, LENGTH) : Map.of());
        return PythonJson.dumps(line);
    }

    /** Writes all answers atomically. */
    public static void write(Path file, List<Answer> answers) {
        StringBuilder out = new StringBuilder();
        for (Answer answer : answers) {
            out.append(render(answer)).append('\n');
        }
        AtomicFiles.write(file, out.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }
}
