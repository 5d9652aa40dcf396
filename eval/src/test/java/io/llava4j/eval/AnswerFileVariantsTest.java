package io.llava4j.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What answer files look like in the wild, for every benchmark: none of it may move a score or pass in silence. */
class AnswerFileVariantsTest {
    /** Their converters leave out and count what is not JSON. */
    private static final Set<String> SKIPPING = Set.of("vqav2", "vizwiz");

    /** Their scorers read the prompt. */
    private static final Set<String> NEED_PROMPT = Set.of("textvqa", "mme", "scienceqa");

    @TempDir
    Path folder;

    static Stream<Benchmark> benchmarks() {
        return Benchmarks.published().stream();
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void byteOrderMarksLineEndsUnknownFieldsAndNanMoveNothing(Benchmark benchmark) throws Exception {
        StringBuilder text = new StringBuilder("\uFEFF");
        for (String line : lines(benchmark)) {
            text.append(line.startsWith("{\"") ? "{\"confidence\": NaN, \"list\": [1, {}], " + line.substring(1) : line)
                    .append("\r\n");
        }
        assertThat(score(benchmark, text.toString())).isEqualTo(score(benchmark, original(benchmark)));
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void onlyIdAndTextAreNeeded(Benchmark benchmark) throws Exception {
        StringBuilder text = new StringBuilder();
        JsonFiles.lines(answers(benchmark), BrokenLines.SKIP, line -> {
            Map<String, Object> kept = new LinkedHashMap<>();
            kept.put("text", line.text("text"));
            if (NEED_PROMPT.contains(benchmark.name())) {
                kept.put("prompt", line.text("prompt"));
            }
            kept.put("question_id", line.id("question_id"));
            text.append(PythonJson.dumps(kept)).append('\n');
        });
        assertThat(score(benchmark, text.toString()).numbers())
                .isEqualTo(score(benchmark, original(benchmark)).numbers());
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void emptyFilesAreRefused(Benchmark benchmark) {
        for (String empty : List.of("", "\uFEFF", "\n", "[]")) {
            assertThatThrownBy(() -> score(benchmark, empty))
                    .as("'%s'", empty)
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("answers.jsonl");
        }
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void brokenLinesAreCountedOrRefusedByNumber(Benchmark benchmark) throws Exception {
        List<String> lines = new ArrayList<>(lines(benchmark));
        for (String broken : List.of("{\"question_id\": 1, \"text\": \"yes\"", "[1, 2]", "{\"question_id\": 1}")) {
            lines.add(1, broken);
            String text = String.join("\n", lines) + "\n";
            if (SKIPPING.contains(benchmark.name()) && broken.endsWith("\"yes\"")) {
                assertThat(score(benchmark, text).numbers())
                        .isEqualTo(score(benchmark, original(benchmark)).numbers());
                assertThat(score(benchmark, text).warnings())
                        .anyMatch(warning -> warning.contains("lines are not JSON and were left out"));
            } else {
                assertThatThrownBy(() -> score(benchmark, text))
                        .as(broken)
                        .isInstanceOf(DataException.class)
                        .hasMessageContaining("answers.jsonl line 2");
            }
            lines.remove(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vqav2", "vizwiz"})
    void blankLinesAreBrokenForPython(String name) throws Exception {
        Benchmark benchmark = Benchmarks.named(name);
        long before = brokenLines(score(benchmark, original(benchmark)));
        assertThat(brokenLines(score(benchmark, original(benchmark) + "\n \n"))).isEqualTo(before + 2);
    }

    private static long brokenLines(Score score) {
        return score.warnings().stream()
                .filter(warning -> warning.contains("are not JSON"))
                .mapToLong(warning -> Long.parseLong(warning.split(" ", 2)[0]))
                .findFirst()
                .orElse(0);
    }

    /** A rendered answer has the bytes of the line it was read from: files go both ways between LLaVA and here. */
    @ParameterizedTest
    @ValueSource(strings = {"mmbench", "mmbench_cn", "pope", "gqa", "textvqa", "seed"})
    void answersAreWrittenAsLlavaWritesThem(String name) throws Exception {
        List<String> lines = lines(Benchmarks.named(name));
        List<String> rendered = AnswerFile.read(answers(Benchmarks.named(name))).stream()
                .map(AnswerFile::render)
                .toList();
        assertThat(rendered).isEqualTo(lines);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pope", "vqav2", "seed"})
    void idsOfTheOtherKindAreOtherIds(String name) throws Exception {
        Benchmark benchmark = Benchmarks.named(name);
        StringBuilder text = new StringBuilder();
        JsonFiles.lines(answers(benchmark), BrokenLines.SKIP, line -> {
            QuestionId id = line.id("question_id");
            Map<String, Object> other = new LinkedHashMap<>();
            other.put(
                    "question_id",
                    new QuestionId(id.value(), !id.number() && id.value().matches("\\d+")));
            other.put("text", line.text("text"));
            text.append(PythonJson.dumps(other)).append('\n');
        });
        if (name.equals("pope")) {
            assertThatThrownBy(() -> score(benchmark, text.toString())).hasMessageContaining("unknown question_id");
        } else {
            assertThat(score(benchmark, text.toString()).value())
                    .isLessThan(score(benchmark, original(benchmark)).value());
            assertThat(score(benchmark, text.toString()).warnings())
                    .anyMatch(warning -> warning.contains("answers belong to no question"));
        }
    }

    private static Path answers(Benchmark benchmark) {
        return Goldens.path("evalgold/" + benchmark.name()).resolve("answers.jsonl");
    }

    private static String original(Benchmark benchmark) throws Exception {
        return Files.readString(answers(benchmark));
    }

    private static List<String> lines(Benchmark benchmark) throws Exception {
        return original(benchmark).lines().toList();
    }

    private Score score(Benchmark benchmark, String answers) throws Exception {
        Path golden = Goldens.path("evalgold/" + benchmark.name());
        Path file = Files.writeString(folder.resolve("answers.jsonl"), answers);
        Path replies = golden.resolve("judge_replies.jsonl");
        if (benchmark.equals(Benchmarks.MM_VET)) {
            // the reference has replies on some samples only
            StringBuilder all = new StringBuilder();
            JsonFiles.fields(
                    golden.resolve("mm-vet.json"),
                    (id, sample) ->
                            all.append("{\"id\": \"%s\", \"reply\": \"0.%d\"}\n".formatted(id, id.hashCode() & 7)));
            replies = Files.writeString(folder.resolve("replies.jsonl"), all);
        }
        return benchmark
                .scorer()
                .score(new ScoreInput(
                        benchmark.files(withPrompt(benchmark, golden)),
                        file,
                        Files.exists(replies) ? replies : null,
                        false));
    }

    /** MM-Vet's folder with a prompt for its judge, which the reference keeps elsewhere. */
    private Path withPrompt(Benchmark benchmark, Path golden) throws Exception {
        if (!benchmark.equals(Benchmarks.MM_VET)) {
            return golden;
        }
        Path own = Files.createDirectories(folder.resolve("mm_vet"));
        Files.writeString(own.resolve("mm-vet-prompt.txt"), "Rate.");
        Files.writeString(own.resolve("mm-vet.json"), Files.readString(golden.resolve("mm-vet.json")));
        return own;
    }
}
