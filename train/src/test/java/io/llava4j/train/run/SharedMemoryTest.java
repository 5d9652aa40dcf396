package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.RandomCheckpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.io.Progress;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.collective.ForkedRanks;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.collective.Rank;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.recipe.ProcessGroups;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.plan.MemoryPlan;
import io.llava4j.train.run.plan.PlannedRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a plan says of the memory of each of several processes is what these take of the C library's allocator. */
@EnabledOnOs(OS.LINUX)
class SharedMemoryTest {
    private static final int STEPS = 4;
    private static final int TOKENS = 128;
    private static final int MAX_LENGTH = 512;

    /** Language models that are large beside what the virtual machine itself allocates meanwhile. */
    private enum Language {
        /** Many blocks of 3.2 MB. */
        DEEP(256, 704, 24, 4),
        /** 99 million parameters. */
        LARGE(768, 2048, 14, 12);

        private final int hidden;
        private final int intermediate;
        private final int blocks;
        private final int heads;

        Language(int hidden, int intermediate, int blocks, int heads) {
            this.hidden = hidden;
            this.intermediate = intermediate;
            this.blocks = blocks;
            this.heads = heads;
        }

        /** Its folder, which the first call writes. */
        Path folder() {
            Path folder = root.resolve(name());
            if (!Files.exists(folder)) {
                int vocabulary = SentencePieceTokenizer.load(tiny.language()).vocabSize();
                TextConfig text = new TextConfig(
                        hidden,
                        intermediate,
                        blocks,
                        heads,
                        heads,
                        vocabulary,
                        MAX_LENGTH,
                        1e-5,
                        10000,
                        false,
                        1,
                        2,
                        0);
                new RandomCheckpoint(new ModelKind.Llama(text), DType.F32, 1)
                        .write(folder, root.resolve("vocabulary"), Progress.NONE);
            }
            return folder;
        }
    }

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    /** A process never holds more of a model that is shared than its share and one tensor, also before the first step. */
    @ParameterizedTest
    @CsvSource({"full, bf16", "gradients, bf16"})
    void loadingTakesTheShareAndOneTensor(String sharding, String precision) throws IOException {
        Comparison both = compare(Language.DEEP, sharding, precision, 2);

        for (MeasuredSteps measured : both.measured()) {
            assertThat((double) measured.loading() / both.plan().loading())
                    .as(both.toString())
                    .isCloseTo(1, within(0.15));
        }
    }

    @ParameterizedTest
    @Tag("memory")
    @Tag("memory-all")
    @CsvSource({
        "none, fp32", "optimizer, fp32", "gradients, fp32", "full, fp32",
        "none, bf16", "optimizer, bf16", "gradients, bf16", "full, bf16"
    })
    void stepsTakeWhatThePlanSays(String sharding, String precision) throws IOException {
        requireEqual(compare(Language.DEEP, sharding, precision, 2));
    }

    /** Prints the table in docs/benchmarks.md. */
    @ParameterizedTest
    @Tag("memory")
    @Tag("memory-all")
    @CsvSource({
        "none, fp32, 1",
        "none, bf16, 1",
        "none, fp32, 2",
        "optimizer, fp32, 2",
        "gradients, fp32, 2",
        "full, fp32, 2",
        "none, bf16, 2",
        "optimizer, bf16, 2",
        "gradients, bf16, 2",
        "full, bf16, 2",
        "none, fp32, 4",
        "optimizer, fp32, 4",
        "gradients, fp32, 4",
        "full, fp32, 4",
        "none, bf16, 4",
        "optimizer, bf16, 4",
        "gradients, bf16, 4",
        "full, bf16, 4"
    })
    void stepsOfOneToFourProcessesTakeWhatThePlanSays(String sharding, String precision, int processes)
            throws IOException {
        Comparison both = compare(Language.LARGE, sharding, precision, processes);

        long most =
                both.measured().stream().mapToLong(MeasuredSteps::steps).max().orElseThrow();
        System.out.println(String.format(
                Locale.ROOT,
                "| `%s` | `%s` | %d | %,d | %,d | %+.1f |",
                sharding,
                precision,
                processes,
                both.plan().total() >> 20,
                most >> 20,
                100.0 * both.plan().total() / most - 100));
        requireEqual(both);
    }

    private static void requireEqual(Comparison both) {
        for (MeasuredSteps measured : both.measured()) {
            assertThat((double) both.plan().total() / measured.steps())
                    .as(both.toString())
                    .isCloseTo(1, within(0.1));
        }
    }

    private record Comparison(MemoryPlan plan, List<MeasuredSteps> measured) {}

    private static Comparison compare(Language language, String sharding, String precision, int processes)
            throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model.language-model", language.folder().toString());
        settings.put("data.max-length", "" + MAX_LENGTH);
        settings.put("engine.precision", precision);
        settings.put("threads", "1");
        settings.put("gradient-checkpointing", "true");
        settings.put("batch.per-device", "2");
        settings.put("batch.accumulation", "1");
        settings.put("schedule.max-steps", "" + STEPS);
        settings.put("distributed.sharding", sharding);
        String name = language + "-" + sharding + "-" + precision + "-" + processes;
        TrainConfig config = tiny.recipe("finetune", "plain", name, settings);
        Path file = root.resolve(name + "-ranks.yaml");
        Files.writeString(file, ConfigFile.toYaml(config));
        List<String> outputs = ForkedRanks.succeed(processes, Training.class, file.toString());
        MemoryPlan plan = MemoryPlan.of(new PlannedRun(
                llava(config),
                config.trainable(),
                config.lora(),
                config.engine().precision(),
                config.distributed().sharding(),
                processes,
                new PlannedRun.Batch(2, TOKENS, TOKENS / 2, 2),
                1,
                1,
                true));
        return new Comparison(
                plan,
                outputs.stream()
                        .map(output -> new MeasuredSteps(
                                RanksTest.number(output, "loading "), RanksTest.number(output, "steps ")))
                        .toList());
    }

    /** Argument: the recipe's file. Prints the bytes of loading and of steps. */
    static final class Training {
        public static void main(String[] args) {
            TrainConfig config = new RecipeLoader().load(Path.of(args[0]), Map.of(), Map.of());
            try (ProcessGroup group = ProcessGroups.join(Rank.fromEnvironment(System.getenv()), config)) {
                MeasuredSteps measured =
                        MeasuredSteps.of(config, MeasuredSteps.source(2, TOKENS, llava(config)), STEPS, group);
                System.out.println("loading " + measured.loading());
                System.out.println("steps " + measured.steps());
            }
            System.exit(0);
        }
    }

    private static LlavaConfig llava(TrainConfig config) {
        Path tower = Objects.requireNonNull(config.model().visionTower());
        Path language = config.model().languageFolder();
        try (Checkpoint vision = Checkpoint.open(tower);
                Checkpoint text = Checkpoint.open(language)) {
            return config.model()
                    .toLlava(
                            ModelAssembly.visionOf(tower, vision),
                            ModelAssembly.textOf(language, text),
                            AspectMode.PAD,
                            config.data().maxLength());
        }
    }
}
