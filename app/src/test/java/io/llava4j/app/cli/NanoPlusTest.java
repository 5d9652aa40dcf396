package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The shipped nano-plus sees: on a small copy of its benchmarks it answers better than without images. */
class NanoPlusTest {
    private static final Path MODEL = Path.of("..", "models", "nano-plus");

    @TempDir
    private static Path dir;

    @BeforeAll
    static void draw() {
        CliRun run =
                CliRun.of("data", "nano", dir.resolve("data"), "--benchmarks", "--image-size", 192, "--scale", 0.3);
        assertThat(run.code()).as(run.err()).isZero();
    }

    @Test
    void itAnswersBetterThanWithoutImages() {
        JsonNode sighted = scores("sighted");
        JsonNode blind = scores("blind", "--blind");
        for (String task : List.of("vqav2", "vizwiz", "textvqa", "seed")) {
            assertThat(value(sighted, task)).as(task).isGreaterThan(value(blind, task) + 10);
        }
        // All rotations of a question with Chinese options: chance is 1 of 256.
        assertThat(value(sighted, "mmbench_cn")).isGreaterThan(5);
    }

    @Test
    void aQuestionIsAnsweredWhereNoModelIsNamed() {
        CliRun run = CliRun.of("generate", "--max-new-tokens", 5, "what?");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("no model is named; using");
    }

    private static double value(JsonNode results, String task) {
        return results.path("tasks").path(task).path("value").asDouble(Double.NaN);
    }

    private static JsonNode scores(String out, String... more) {
        Path folder = dir.resolve(out);
        List<Object> arguments = new ArrayList<>(List.of(
                "eval",
                "-m",
                MODEL,
                "--tasks",
                "vqav2,vizwiz,textvqa,mmbench_cn,seed",
                "--data",
                dir.resolve("data"),
                "--out",
                folder));
        arguments.addAll(List.of(more));
        CliRun run = CliRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        return JsonMapper.builder().build().readTree(folder.resolve("results.json"));
    }
}
