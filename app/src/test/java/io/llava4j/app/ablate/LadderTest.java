package io.llava4j.app.ablate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.app.cli.Main;
import io.llava4j.app.launch.SeveralProcesses;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.report.LadderReport;
import io.llava4j.eval.report.ResultTable;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import io.llava4j.nano.benchmark.NanoBenchmarkOptions;
import io.llava4j.nano.raw.NanoData;
import io.llava4j.nano.raw.NanoWorldOptions;
import io.llava4j.nano.several.SeveralImagesFiles;
import io.llava4j.nano.several.SeveralImagesOptions;
import io.llava4j.train.launch.LaunchPlan;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Shipped ladders and small ones, on a small nano world. */
class LadderTest {
    private static final Path HOME = Path.of("..");

    /** What ladders extend: recipes and benchmarks without steps. */
    private static final String BASE = "nano-plus.yaml";

    private static final Map<String, String> VQA = Map.of("evaluation.tasks", "[vqav2]");

    @TempDir
    private static Path drawn;

    @TempDir
    private Path root;

    @BeforeAll
    static void drawAWorld() {
        NanoData data = new NanoData(
                HOME,
                drawn.resolve("world"),
                NanoWorldOptions.DEFAULT.withCounts(32, 64, 0, 0),
                2,
                ProgressLine::onStderr,
                () -> false);
        assertThat(data.write()).isPresent();
        assertThat(data.build()).isPresent();
        NanoBenchmarkFiles.write(
                drawn.resolve("benchmarks"), NanoBenchmarkOptions.DEFAULT.withScale(0.02), 2, (done, total) -> {});
        SeveralImagesFiles.write(
                drawn.resolve("several"), new SeveralImagesOptions(7, 96, 32, 40), 2, (done, total) -> {});
    }

    static Stream<Path> shipped() throws IOException {
        try (Stream<Path> files = Files.list(HOME.resolve("recipes/ladders"))) {
            return files.filter(file -> !file.endsWith(BASE)).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void everyStepOfAShippedLadderResolves(Path file) throws IOException {
        assertThat(run(file).plan().rows()).hasSizeGreaterThan(1);
    }

    /** Of three seeds: what is equal to a step above is trained once. */
    @ParameterizedTest
    @CsvSource({
        "table1, 42, 18", // ten steps, four of which have another projector, tower or language model
        "image-tokens, 24, 0",
        "several-images, 9, 3",
        "several-images-loss, 9, 3",
        "data-share, 18, 12",
        "format-prompt, 6, 6",
        "modality-groups, 9, 3",
        "pretraining, 15, 0",
        "resolution, 12, 0",
    })
    void stepsShareWhatIsEqual(String ladder, int toTrain, int shared) throws IOException {
        ResultTable plan =
                run(HOME.resolve("recipes/ladders/%s.yaml".formatted(ladder))).plan();

        assertThat(sum(plan, 1)).isEqualTo(toTrain);
        assertThat(sum(plan, 2)).isEqualTo(shared);
        assertThat(sum(plan, 3)).isZero();
    }

    private static int sum(ResultTable plan, int column) {
        return plan.rows().stream()
                .mapToInt(row -> Integer.parseInt(row.get(column)))
                .sum();
    }

    /** Stopped in the middle, continued, and run again: each training happens once. */
    @Test
    void aLadderIsContinuedAndNothingIsTrainedTwice() throws IOException {
        Path file = HOME.resolve("recipes/ladders/pretraining.yaml");
        assertThat(quick(file, () -> models().size() == 3).run()).isEmpty();
        List<FileTime> before = models();
        assertThat(before).hasSize(3);

        LadderReport report = quick(file, () -> false).run().orElseThrow();

        // Three steps at two seeds: two projectors and three models of each seed.
        assertThat(models()).hasSize(2 * 5).containsAll(before);
        assertThat(report.overview().rows()).hasSize(3);
        assertThat(report.overview().rows()).allSatisfy(row -> assertThat(row).contains("2"));
        assertThat(report.differences().rows())
                .extracting(row -> row.get(1))
                .containsExactly("as LLaVA-1.5", "as LLaVA-1.5");
        assertThat(root.resolve("quick/report.html")).content().contains("no pre-training");

        List<FileTime> trained = models();
        assertThat(quick(file, () -> false).run().orElseThrow().markdown()).isEqualTo(report.markdown());
        assertThat(models()).isEqualTo(trained);
        assertThat(quick(file, () -> false).plan().rows())
                .extracting(row -> row.get(1))
                .containsOnly("0");
    }

    /** Towers, language models and mixtures that change from step to step, in four training steps each. */
    @Test
    void table1RunsAsAWhole() throws IOException {
        LadderReport report = quick(
                        HOME.resolve("recipes/ladders/table1.yaml"),
                        Map.of("evaluation.tasks", "[vqav2]", "seeds", "[1]"))
                .run()
                .orElseThrow();

        assertThat(models()).hasSize(4 + 10);
        assertThat(report.overview().rows()).hasSize(10);
        assertThat(report.differences().rows())
                .extracting(row -> row.get(1))
                .startsWith("LLaVA", "+ VQAv2", "+ format prompt")
                .endsWith("+ GQA", "+ ShareGPT");
    }

    /** Data sets in place of a mixture; one set of questions, asked with all images and with the first. */
    @Test
    void aStepMayAddADataSet() throws IOException {
        LadderReport report = quick(HOME.resolve("recipes/ladders/several-images.yaml"), Map.of("seeds", "[1]"))
                .run()
                .orElseThrow();

        assertThat(models()).hasSize(3);
        assertThat(report.overview().header()).contains("Several images", "Several images, the first alone");
        List<String> recipes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root.resolve("trained"))) {
            for (Path file : files.filter(path -> path.endsWith("config.yaml")).toList()) {
                recipes.add(Files.readString(file));
            }
        }
        assertThat(recipes).filteredOn(recipe -> recipe.contains("several")).hasSize(1);
    }

    /** Two processes take twice the samples a step, so their models are none of one process. */
    @Test
    void aModelIsTrainedInTwoProcesses() throws IOException {
        Path file = Files.writeString(root.resolve("two.yaml"), """
                extends: nano-plus.yaml
                title: two processes
                steps:
                  - name: x
                    set: {pretrain: none, finetune.batch.parallel: 1}
                """);
        LadderSource source = LadderSource.load(
                        here(file), Map.of("evaluation.tasks", "[vqav2]", "seeds", "[1]"), UnaryOperator.identity())
                .quick();
        PrintWriter err = new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
        Trainer trainer = new SeveralProcesses(
                LaunchPlan.oneNode(2, 0, Duration.ofSeconds(120)), Main.class, "test", err, () -> false);

        LadderReport report = new LadderRun(source, root, "two", trainer, () -> false, note -> {})
                .run()
                .orElseThrow();

        assertThat(report.overview().rows()).hasSize(1);
        try (Stream<Path> folders = Files.list(root.resolve("trained"))) {
            Path trained = folders.filter(Files::isDirectory).findFirst().orElseThrow();
            assertThat(trained.toString()).endsWith("-2-processes");
            assertThat(Files.readAllLines(trained.resolve("metrics.jsonl")).getFirst())
                    .contains("\"samples\":32");
        }
        assertThat(new LadderRun(source, root, "two", trainer, () -> false, note -> {})
                        .plan()
                        .rows()
                        .getFirst())
                .containsExactly("x", "0", "0", "1");
    }

    /** One model, asked with and without the prompt. */
    @Test
    void aStepMayChangeOnlyWhatIsAsked() throws IOException {
        LadderReport report = quick(HOME.resolve("recipes/ladders/format-prompt.yaml"), VQA)
                .run()
                .orElseThrow();

        assertThat(models()).hasSize(2 * 2);
        assertThat(report.overview().rows()).hasSize(2);
        List<String> prompts = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root.resolve("evaluations"))) {
            for (Path answers :
                    files.filter(path -> path.endsWith("vqav2/answers.jsonl")).toList()) {
                prompts.add(Files.readString(answers).contains("single word or phrase") ? "with" : "without");
            }
        }
        assertThat(prompts).containsExactlyInAnyOrder("with", "with", "without", "without");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "finetune.optimizer.learnin-rate: 1 | step 'x', finetune: --set unknown key 'optimizer.learnin-rate'",
                "mixture.sources.vqav3.include: false | step 'x', mixture: ",
                "finetune.batch.per-device: many | step 'x', finetune: ",
                "evaluation.limit: -1 | limit must be 0 (all questions) or more",
                "evaluation.tasks: '[nothing]' | step 'x', evaluation: ",
                "evaluation.data: nowhere | step 'x', evaluation: there is no folder nowhere; the first lines of the ladder",
                "training.seed: 1 | steps[0].set: 'training.seed' must begin with mixture., pretrain., finetune. or evaluation.",
                "finetune: none | steps[0].set: 'finetune' must be followed by a dot and a key",
                "pretrain: 1 | steps[0].set: 'pretrain' must be followed by a dot and a key, or be none",
            })
    void aWrongKeyIsNamedBeforeAnythingIsTrained(String change, String sentence) throws IOException {
        Path file = Files.writeString(
                root.resolve("wrong.yaml"), """
                extends: nano-plus.yaml
                steps:
                  - name: x
                    set:
                      "%s": %s
                """.formatted(change.substring(0, change.indexOf(':')), value(change)));

        assertThatThrownBy(() -> run(file).run())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(sentence);
        assertThat(root.resolve("trained")).doesNotExist();
    }

    private static String value(String change) {
        return change.substring(change.indexOf(':') + 2);
    }

    /** When each model was written, in the order of the folders' names. */
    private List<FileTime> models() {
        Path trained = root.resolve("trained");
        if (!Files.exists(trained)) {
            return List.of();
        }
        List<FileTime> times = new ArrayList<>();
        try (Stream<Path> folders = Files.list(trained)) {
            for (Path folder : folders.sorted().toList()) {
                if (Files.exists(folder.resolve("model"))) {
                    times.add(Files.getLastModifiedTime(folder.resolve("model")));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return times;
    }

    private LadderRun quick(Path file, BooleanSupplier stop) throws IOException {
        return quick(file, VQA, stop);
    }

    private LadderRun quick(Path file, Map<String, String> overrides) throws IOException {
        return quick(file, overrides, () -> false);
    }

    private LadderRun quick(Path file, Map<String, String> overrides, BooleanSupplier stop) throws IOException {
        LadderSource source = LadderSource.load(here(file), overrides, UnaryOperator.identity())
                .quick();
        return new LadderRun(source, root, "quick", new OneProcess(stop), stop, note -> {});
    }

    private LadderRun run(Path file) throws IOException {
        return new LadderRun(
                LadderSource.load(here(file), Map.of(), UnaryOperator.identity()),
                root,
                "whole",
                new OneProcess(() -> false),
                () -> false,
                note -> {});
    }

    /** The ladder and its recipes, with the folders of this test in place of those of a user who drew them. */
    private Path here(Path ladder) throws IOException {
        Path folder = Files.createDirectories(root.resolve("files"));
        replaced(ladder, folder.resolve(String.valueOf(ladder.getFileName())));
        for (String base : List.of(BASE, "several-images.yaml")) {
            replaced(HOME.resolve("recipes/ladders").resolve(base), folder.resolve(base));
        }
        Path recipes = Files.createDirectories(folder.resolve("recipes/nano-plus"));
        for (String stage : List.of("pretrain.yaml", "finetune.yaml")) {
            replaced(HOME.resolve("recipes/nano-plus").resolve(stage), recipes.resolve(stage));
        }
        return folder.resolve(String.valueOf(ladder.getFileName()));
    }

    private void replaced(Path recipe, Path copy) throws IOException {
        Files.writeString(
                copy,
                Files.readString(recipe)
                        .replace(
                                "runs/nano-plus/small-world",
                                drawn.resolve("world").toString())
                        .replace(
                                "runs/nano-plus/benchmarks",
                                drawn.resolve("benchmarks").toString())
                        .replace(
                                "runs/nano-plus/several",
                                drawn.resolve("several").toString())
                        .replace("runs/ladders", root.toString())
                        .replace("recipe: recipes/nano-plus", "recipe: " + root.resolve("files/recipes/nano-plus"))
                        .replace("recipe: recipes/data/", "recipe: " + HOME + "/recipes/data/")
                        .replace(": models/", ": " + HOME + "/models/"));
    }
}
