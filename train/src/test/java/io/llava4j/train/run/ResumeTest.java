package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A run that was stopped or killed and resumed repeats an unbroken one bit for bit. */
class ResumeTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final TrainingListener NOBODY = step -> {};

    @TempDir
    private static Path root;

    private static TinyRun tiny;
    private static final Map<String, Outcome> UNBROKEN = new HashMap<>();

    /** The files of a run: metrics without times, and the bytes of its weights. */
    private record Outcome(List<JsonNode> metrics, Map<String, String> model) {}

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    @ParameterizedTest
    @CsvSource({"finetune,plain", "finetune,stem", "pretrain,plain", "pretrain,stem"})
    void stoppedAndResumed(String stage, String patches) throws IOException {
        TrainConfig config = tiny.recipe(stage, patches, "stopped-" + stage + "-" + patches, Map.of());
        for (int stop : new int[] {1, 4, 7}) {
            assertThat(runUntil(config, stop > 1, stop)).isFalse();
            assertThat(Files.exists(config.output().resolve("model"))).isFalse();
            assertThat(steps(config)).hasSize(stop);
        }
        assertThat(TrainingRun.run(config, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThat(outcome(config)).isEqualTo(unbroken(stage, patches));
    }

    @ParameterizedTest
    @CsvSource({"finetune,plain", "pretrain,stem"})
    void microBatchesComputedAtOnceChangeNothing(String stage, String patches) throws IOException {
        String name = "-" + stage + "-" + patches;
        TrainConfig inTurn =
                tiny.recipe(stage, patches, "in-turn" + name, Map.of("batch.accumulation", "3", "threads", "1"));
        assertThat(TrainingRun.run(inTurn, Objectives::create, false, NOBODY, () -> false))
                .isTrue();
        TrainConfig atOnce = tiny.recipe(
                stage,
                patches,
                "at-once" + name,
                Map.of("batch.accumulation", "3", "batch.parallel", "3", "threads", "3"));
        assertThat(runUntil(atOnce, false, 3)).isFalse();
        assertThat(TrainingRun.run(atOnce, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThat(outcome(atOnce)).isEqualTo(outcome(inTurn));
    }

    @ParameterizedTest
    @CsvSource({"finetune,plain", "finetune,stem", "pretrain,plain"})
    void killedAndResumed(String stage, String patches) throws IOException {
        TrainConfig config = tiny.recipe(stage, patches, "killed-" + stage + "-" + patches, Map.of());
        Path output = config.output();
        // Before any checkpoint, just after one, between gradients and optimiser, before the last step.
        kill(config, false, 2, false);
        assertThat(output.resolve("checkpoints")).doesNotExist();
        kill(config, true, 4, false);
        assertThat(names(output.resolve("checkpoints"))).containsExactly("step-000003");
        kill(config, true, 6, true);
        assertThat(names(output.resolve("checkpoints"))).containsExactly("step-000003");

        // The rest of a process that was killed while writing.
        Files.writeString(output.resolve("metrics.jsonl"), "{\"step\":6,\"lo", StandardOpenOption.APPEND);
        Path torn = Files.createDirectories(output.resolve("checkpoints/.step-000006.partial"));
        Files.writeString(torn.resolve("state.safetensors"), "torn");
        Files.writeString(
                Files.createDirectories(output.resolve(".model.partial")).resolve("config.json"), "{");
        Files.createDirectories(output.resolve("checkpoints/step-000009"));

        kill(config, true, 10, false);
        assertThat(TrainingRun.run(config, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThat(outcome(config)).isEqualTo(unbroken(stage, patches));
        assertThat(names(output)).doesNotContain(".model.partial");
    }

    @Test
    void anotherRecipeIsRefusedAndLeavesTheRunAsItWas() throws IOException {
        TrainConfig config = tiny.recipe("finetune", "plain", "changed", Map.of());
        runUntil(config, false, 4);
        Map<String, String> before = files(config.output());
        for (Map<String, String> change : List.of(
                Map.of("optimizer.learning-rate", "0.02"),
                Map.of("seed", "43"),
                Map.of("batch.accumulation", "4"),
                Map.of("schedule.max-steps", "11"))) {
            TrainConfig other = tiny.recipe("finetune", "plain", "changed", change);
            assertThatThrownBy(() -> TrainingRun.run(other, Objectives::create, true, NOBODY, () -> false))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("step-000004")
                    .hasMessageContaining("belongs to a run with other settings");
        }
        assertThat(files(config.output())).isEqualTo(before);

        // What is kept and when is no matter of the course.
        TrainConfig same = tiny.recipe("finetune", "plain", "changed", Map.of("checkpoint.every-steps", "2"));
        assertThat(TrainingRun.run(same, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThat(outcome(config)).isEqualTo(unbroken("finetune", "plain"));
    }

    @Test
    void aRunThatCannotStartKeepsTheResultsOfAnEarlierOne() throws IOException {
        TrainConfig config = tiny.recipe("finetune", "plain", "kept", Map.of());
        runUntil(config, false, 4);
        Map<String, String> before = files(config.output());
        TrainConfig wrong = tiny.recipe("finetune", "plain", "kept", Map.of("data.json", "nowhere.json"));
        assertThatThrownBy(() ->
                        TrainingRun.run(wrong, Objectives::create, TrainingRun.Start.OVERWRITE, NOBODY, () -> false))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("nowhere.json");
        assertThat(files(config.output())).isEqualTo(before);
    }

    @Test
    void aFinishedRunIsLeftAlone() throws IOException {
        unbroken("finetune", "plain");
        TrainConfig config = tiny.recipe("finetune", "plain", "unbroken-finetune-plain", Map.of());
        Map<String, String> before = files(config.output());
        assertThat(TrainingRun.run(config, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThatThrownBy(() -> TrainingRun.run(config, Objectives::create, false, NOBODY, () -> false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("already holds a finished model");
        assertThat(files(config.output())).isEqualTo(before);
        assertThat(names(config.output().resolve("checkpoints"))).isEmpty();
    }

    private static Outcome unbroken(String stage, String patches) throws IOException {
        String name = "unbroken-" + stage + "-" + patches;
        Outcome known = UNBROKEN.get(name);
        if (known == null) {
            TrainConfig config = tiny.recipe(stage, patches, name, Map.of());
            assertThat(TrainingRun.run(config, Objectives::create, false, NOBODY, () -> false))
                    .isTrue();
            known = outcome(config);
            assertThat(known.metrics()).hasSize(10);
            assertThat(known.model()).isNotEmpty();
            UNBROKEN.put(name, known);
        }
        return known;
    }

    private static boolean runUntil(TrainConfig config, boolean resume, int stop) {
        int[] last = {0};
        return TrainingRun.run(
                config, Objectives::create, resume, step -> last[0] = step.step(), () -> last[0] == stop);
    }

    /** Leaves the files of a run as a killed process does; an error would save the steps done. */
    private static void kill(TrainConfig config, boolean resume, int atStep, boolean beforeTheOptimizer)
            throws IOException {
        Map<String, byte[]> left = new TreeMap<>();
        TrainingListener killer = new TrainingListener() {
            private int done;

            @Override
            public void begin(int firstStep, int steps) {
                done = firstStep;
            }

            @Override
            public void gradients(TrainableParameters parameters) {
                if (beforeTheOptimizer && done + 1 == atStep) {
                    die();
                }
            }

            @Override
            public void step(Step step) {
                done = step.step();
                if (done == atStep) {
                    die();
                }
            }

            private void die() {
                awaitState(config, (atStep - 1) / 3 * 3);
                try {
                    files(config.output())
                            .forEach((name, content) -> left.put(name, content.getBytes(StandardCharsets.ISO_8859_1)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                throw new Killed();
            }
        };
        assertThatThrownBy(() -> TrainingRun.run(config, Objectives::create, resume, killer, () -> false))
                .isInstanceOf(Killed.class);
        AtomicFiles.deleteDirectory(config.output());
        for (Map.Entry<String, byte[]> file : left.entrySet()) {
            Path path = config.output().resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
    }

    /** States are written while training goes on; these runs are killed after that. */
    private static void awaitState(TrainConfig config, int step) {
        Path state = config.output().resolve("checkpoints/step-%06d/state.safetensors".formatted(step));
        for (int i = 0; i < 6000 && step > 0 && !Files.exists(state); i++) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static Outcome outcome(TrainConfig config) throws IOException {
        Map<String, String> model = new TreeMap<>();
        files(config.output().resolve("model")).forEach((name, content) -> {
            if (name.endsWith(".safetensors")) {
                model.put(name, content);
            }
        });
        return new Outcome(steps(config), model);
    }

    private static List<JsonNode> steps(TrainConfig config) throws IOException {
        List<JsonNode> steps = new ArrayList<>();
        for (String line : Files.readAllLines(config.output().resolve("metrics.jsonl"))) {
            ObjectNode step = (ObjectNode) JSON.readTree(line);
            step.remove(List.of("seconds", "tokens_per_second", "tflops"));
            step.remove("time");
            assertThat(step.path("step").asInt()).isEqualTo(steps.size() + 1);
            steps.add(step);
        }
        return steps;
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Every file below a folder with all its bytes. */
    private static Map<String, String> files(Path directory) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(
                        directory.relativize(file).toString(),
                        new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }
}
