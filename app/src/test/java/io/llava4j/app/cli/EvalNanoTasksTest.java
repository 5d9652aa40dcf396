package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.run.CustomBenchmark;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import io.llava4j.nano.benchmark.NanoBenchmarkOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava eval --tasks all} on nano benchmarks with a random model. */
class EvalNanoTasksTest {
    private static final int POSITIONS = 1024;

    @TempDir
    static Path dir;

    private static Path model;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModel.write(dir, POSITIONS);
        Path data = dir.resolve("benchmarks");
        NanoBenchmarkFiles.write(data, new NanoBenchmarkOptions(1, 32, 0.01), 2, (done, total) -> {});
        // A random model never stops by itself.
        for (Benchmark benchmark : Benchmarks.published()) {
            Path about = data.resolve(benchmark.name()).resolve(CustomBenchmark.FILE);
            Files.writeString(about, Files.readString(about).replace("\"max_new_tokens\":64", "\"max_new_tokens\":3"));
        }
    }

    @Test
    void aKilledRunGoesOnAndEndsWithTheFilesOfAnUnbrokenOne() throws IOException, InterruptedException {
        CliRun whole = CliRun.of("eval", "-m", model, "--tasks", "all");
        assertThat(whole.code()).as(whole.err()).isZero();
        // Without --data and --out: what lies beside the model.
        Path run = dir.resolve("evaluation");
        JsonNode results = JsonMapper.builder().build().readTree(run.resolve("results.json"));
        assertThat(results.path("tasks").propertyNames()).hasSize(12);
        assertThat(results.path("unofficial").asString()).startsWith("Nano benchmarks");
        assertThat(results.path("tasks").path("mm_vet").path("judge").asString())
                .isEqualTo("local-word-overlap");
        assertThat(whole.out()).contains("MMBench-CN").doesNotContain("LLaVA-1.5 7B");
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("class=\"radar\"", "say nothing about published ones")
                .doesNotContain("LLaVA-1.5 7B");

        Path broken = dir.resolve("broken");
        Path begun = broken.resolve("vizwiz/answers.jsonl.manifest.json");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "eval",
                        "-m",
                        model.toString(),
                        "--tasks",
                        "all",
                        "--out",
                        broken.toString(),
                        "--batch-size",
                        "3")
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("output.txt").toFile())
                .start();
        while (process.isAlive() && !Files.exists(begun)) {
            process.waitFor(5, TimeUnit.MILLISECONDS);
        }
        process.destroyForcibly().waitFor();
        assertThat(begun).as(Files.readString(dir.resolve("output.txt"))).exists();
        assertThat(broken.resolve("results.json")).doesNotExist();

        CliRun resumed = CliRun.of("eval", "-m", model, "--tasks", "all", "--out", broken);
        assertThat(resumed.code()).as(resumed.err()).isZero();
        assertThat(files(broken)).isEqualTo(files(run));
    }

    @Test
    void saysWhatIsMissingBesideTheModel() {
        CliRun run = CliRun.of("eval", "-m", dir.resolve("elsewhere/model"), "--tasks", "all");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("--data is missing", "elsewhere", "llava data nano DIR --benchmarks");
    }

    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(root)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                // A sheet holds the time at which it was written.
                if (!name.endsWith(".xlsx") && !name.endsWith(".jpg")) {
                    files.put(name, Files.readString(file));
                }
            }
        }
        return files;
    }
}
