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

    /** Large beside what the virtual machine itself allocates meanwhile; many blocks of 3.2 MB. */
    private static final int HIDDEN = 256;

    private static final int BLOCKS = 24;

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
        int vocabulary = SentencePieceTokenizer.load(tiny.language()).vocabSize();
        TextConfig text =
                new TextConfig(HIDDEN, 704, BLOCKS, 4, 4, vocabulary, MAX_LENGTH, 1e-5, 10000, false, 1, 2, 0);
        new RandomCheckpoint(new ModelKind.Llama(text), DType.F32, 1)
                .write(language(), root.resolve("vocabulary"), Progress.NONE);
    }

    private static Path language() {
        return root.resolve("deep");
    }

    /** A process never holds more of a model that is shared than its share and one tensor, also before the first step. */
    @ParameterizedTest
    @CsvSource({"full, bf16", "gradients, bf16"})
    void loadingTakesTheShareAndOneTensor(String sharding, String precision) throws IOException {
        Comparison both = compare(sharding, precision, 2);

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
        Comparison both = compare(sharding, precision, 2);

        for (MeasuredSteps measured : both.measured()) {
            assertThat((double) both.plan().total() / measured.steps())
                    .as(both.toString())
                    .isCloseTo(1, within(0.1));
        }
    }

    private record Comparison(MemoryPlan plan, List<MeasuredSteps> measured) {}

    private static Comparison compare(String sharding, String precision, int processes) throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model.language-model", language().toString());
        settings.put("data.max-length", "" + MAX_LENGTH);
        settings.put("engine.precision", precision);
        settings.put("threads", "1");
        settings.put("gradient-checkpointing", "true");
        settings.put("batch.per-device", "2");
        settings.put("batch.accumulation", "1");
        settings.put("schedule.max-steps", "" + STEPS);
        settings.put("distributed.sharding", sharding);
        String name = sharding + "-" + precision + "-" + processes;
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
