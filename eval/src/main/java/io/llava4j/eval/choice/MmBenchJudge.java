package io.llava4j.eval.choice;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.judge.JudgeRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** What VLMEvalKit asks ChatGPT about an answer that names no option (docs/reference/evaluation.md#mmbench). */
final class MmBenchJudge {
    private static final String MODEL = "gpt-3.5-turbo-0613";
    private static final int LONGEST_REPLY = 2048;
    private static final Pattern CHINESE = Pattern.compile("[\u4e00-\u9fff]");
    private static final String ENGLISH_PROMPT = prompt("mmbench-judge.txt");
    private static final String CHINESE_PROMPT = prompt("mmbench-judge-cn.txt");

    private MmBenchJudge() {}

    /** The request on a row; a question with Chinese characters is put in Chinese. */
    static JudgeRequest request(MmBenchScore.Row row) {
        StringBuilder options = new StringBuilder("There are several options: \n");
        row.options()
                .forEach((letter, text) ->
                        options.append(letter).append(". ").append(text).append('\n'));
        String prompt = CHINESE.matcher(row.question()).find() ? CHINESE_PROMPT : ENGLISH_PROMPT;
        String content = prompt.formatted(row.question(), options, PythonText.strip(row.prediction()));
        // Taken for right while the reply is to come, so that all rotations are asked about at once.
        return new JudgeRequest(
                String.valueOf(row.index()),
                MODEL,
                List.of(new JudgeRequest.Message("user", content)),
                0,
                LONGEST_REPLY,
                row.truth());
    }

    private static String prompt(String name) {
        try (InputStream in = Objects.requireNonNull(MmBenchJudge.class.getResourceAsStream(name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
