package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.tensor.collective.ForkedRanks;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.collective.Rank;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.ProcessGroups;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs of several processes against runs of one, whose accumulation is that many times larger. */
class RanksTest {
    private static final String FILE = "model/model.safetensors";

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    /** Terms are added in the same order, so not a bit differs: text-only batches, clipping and weight decay included. */
    @Test
    void twoProcessesTrainAsOneWithTwiceTheAccumulation() throws IOException {
        Map<String, String> settings = Map.of("optimizer.weight-decay", "0.1", "optimizer.max-grad-norm", "0.5");
        byte[] one = alone("one", settings, "2");

        List<String> outputs = ForkedRanks.succeed(2, Training.class, file("two", settings, "1"));

        assertThat(root.resolve("two").resolve(FILE)).hasBinaryContent(one);
        requireBytesSent(outputs);
        assertThat(Files.readAllLines(root.resolve("two/metrics.jsonl"))).hasSize(10);
    }

    /** Every process moves its share of the parameters; each keeps half of the moments. */
    @Test
    void sharesOfTheOptimizerMoveAsOne() throws IOException {
        Map<String, String> settings = Map.of(
                "optimizer.weight-decay", "0.1",
                "optimizer.projector-learning-rate", "0.003",
                "optimizer.max-grad-norm", "0",
                "gradient-checkpointing", "true");
        byte[] one = alone("one-shared", settings, "2");
        Map<String, String> shared = with(settings, "distributed.sharding", "optimizer");

        List<String> outputs = ForkedRanks.succeed(2, Training.class, file("two-shared", shared, "1"));

        assertThat(root.resolve("two-shared").resolve(FILE)).hasBinaryContent(one);
        requireBytesSent(outputs);
        for (String output : outputs) {
            assertThat(number(output, "moved ")).isEqualTo(Math.ceilDiv(number(output, "parameters "), 2));
        }
    }

    /**
     * The norm that gradients are clipped by is summed by shares: in another order, so that its 24 bits may differ in the
     * last ones. Adapters with dropout draw the same elements as one process does.
     */
    @Test
    void sharesOfAdaptersAreClippedAsOne() throws IOException {
        Map<String, String> settings =
                Map.of("lora.r", "4", "lora.alpha", "8", "lora.dropout", "0.3", "optimizer.max-grad-norm", "0.1");
        TrainConfig alone = recipe("one-lora", settings, "4");
        assertThat(TrainingRun.run(alone, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        Map<String, String> shared = with(settings, "distributed.sharding", "optimizer");

        ForkedRanks.succeed(2, Training.class, file("two-lora", shared, "2"));

        for (String file : List.of("adapter_model.safetensors", "non_lora_trainables.safetensors")) {
            Path expected = root.resolve("one-lora/model").resolve(file);
            if (Files.exists(expected)) {
                assertThat(difference(expected, root.resolve("two-lora/model").resolve(file)))
                        .as(file)
                        .isLessThan(1e-5);
            }
        }
        assertThat(root.resolve("two-lora/model")).isDirectoryContaining("glob:**adapter*");
    }

    /** An exchange of n parameters among two sends 2 n / 2 of 4 bytes from each, in each of 10 steps. */
    private static void requireBytesSent(List<String> outputs) {
        for (String output : outputs) {
            long parameters = number(output, "parameters ");
            assertThat(number(output, "sent ")).isBetween(10 * 4 * parameters, 10 * 4 * parameters + 20 * 4096);
        }
    }

    /** Largest difference of two files of tensors, relative to the largest number of the tensor. */
    static double difference(Path expected, Path actual) {
        double largest = 0;
        try (SafeTensors one = SafeTensors.open(expected);
                SafeTensors two = SafeTensors.open(actual)) {
            for (String name : one.tensors().keySet()) {
                float[] a = one.tensors().get(name).toFloats();
                float[] b = Objects.requireNonNull(two.tensors().get(name)).toFloats();
                double scale = 1e-6;
                double apart = 0;
                for (int i = 0; i < a.length; i++) {
                    scale = Math.max(scale, Math.abs(a[i]));
                    apart = Math.max(apart, Math.abs(a[i] - b[i]));
                }
                largest = Math.max(largest, apart / scale);
            }
        }
        return largest;
    }

    private static Map<String, String> with(Map<String, String> settings, String key, String value) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put(key, value);
        return all;
    }

    private static byte[] alone(String output, Map<String, String> settings, String accumulation) throws IOException {
        TrainConfig config = recipe(output, settings, accumulation);
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        return Files.readAllBytes(root.resolve(output).resolve(FILE));
    }

    private static TrainConfig recipe(String output, Map<String, String> settings, String accumulation) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("batch.accumulation", accumulation);
        return tiny.recipe("finetune", "plain", output, all);
    }

    private static String file(String output, Map<String, String> settings, String accumulation) throws IOException {
        Path file = root.resolve(output + "-ranks.yaml");
        Files.writeString(file, ConfigFile.toYaml(recipe(output, settings, accumulation)));
        return file.toString();
    }

    static long number(String output, String prefix) {
        return output.lines()
                .filter(line -> line.startsWith(prefix))
                .mapToLong(line -> Long.parseLong(line.substring(prefix.length())))
                .findFirst()
                .orElseThrow();
    }

    /** A process with another recipe or other data is named, and all of them end. */
    @Test
    void otherRecipesAndDataAreRefused() throws IOException {
        String file = file("other", Map.of(), "1");
        String all = "";
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 2, Map.of(), Training.class, file);
            ranks.start(1, 2, Map.of(), Training.class, file, "seed=43");
            for (ForkedRanks.Ended ended : ranks.await()) {
                assertThat(ended.exitCode()).isEqualTo(2);
                assertThat(ended.errors())
                        .containsPattern(
                                "rank 1 \\(.*process \\d+\\) has another recipe than rank 0: seed \\(43 there, 42 on rank 0\\)");
                all += ended.output();
            }
        }
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            records.add(TinyRun.record("x" + i, "", "Is red a colour?", "no"));
        }
        Path data = tiny.data("elsewhere.json", records);
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 2, Map.of(), Training.class, file);
            ranks.start(1, 2, Map.of("OTHER_DATA", data.toString()), Training.class, file);
            for (ForkedRanks.Ended ended : ranks.await()) {
                assertThat(ended.exitCode()).isEqualTo(2);
                assertThat(ended.errors())
                        .contains("has other inputs than rank 0: records of data.json (12 there, 36 on rank 0)");
                all += ended.output();
            }
        }
        assertThat(all).doesNotContain("sent");
        assertThat(root.resolve("other/model")).doesNotExist();
    }

    /** A run that one rank is asked to stop goes on with two processes, or with one, as if it had never stopped. */
    @ParameterizedTest
    @ValueSource(strings = {"optimizer", "full"})
    void aStoppedRunGoesOnWithAsManyProcessesOrOne(String sharding) throws IOException {
        requireEqualAfterStop(sharding);
    }

    @ParameterizedTest
    @Tag("launch")
    @ValueSource(strings = {"none", "gradients"})
    void aStoppedRunOfAnyOtherShardingGoesOn(String sharding) throws IOException {
        requireEqualAfterStop(sharding);
    }

    private static void requireEqualAfterStop(String sharding) throws IOException {
        Map<String, String> settings = Map.of("optimizer.max-grad-norm", "0", "distributed.sharding", sharding);
        String stopped = "stopped-" + sharding;
        byte[] whole = alone("whole-" + sharding, settings, "2");
        String file = file(stopped, settings, "1");
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 2, Map.of(), Training.class, file);
            ranks.start(1, 2, Map.of("STOP_AFTER", "4"), Training.class, file);
            assertThat(ranks.await()).allMatch(ended -> ended.exitCode() == 130);
        }
        assertThat(root.resolve(stopped).resolve("checkpoints/step-000004"))
                .isDirectoryContaining("glob:**state-00001-of-00002.safetensors")
                .isDirectoryContaining("glob:**state-00002-of-00002.safetensors");
        Path copy = root.resolve("resumed-" + sharding);
        copy(root.resolve(stopped), copy);

        ForkedRanks.succeed(2, Training.class, file, "resume");
        assertThat(root.resolve(stopped).resolve(FILE)).hasBinaryContent(whole);

        TrainConfig one = recipe("resumed-" + sharding, settings, "2");
        assertThat(TrainingRun.run(one, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        assertThat(copy.resolve(FILE)).hasBinaryContent(whole);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    /** Arguments: the recipe's file, then {@code resume} or settings. */
    static final class Training {
        public static void main(String[] args) {
            int exitCode = 0;
            try {
                Map<String, String> settings = new LinkedHashMap<>();
                boolean resume = false;
                for (int i = 1; i < args.length; i++) {
                    String[] setting = args[i].split("=", 2);
                    resume |= setting.length == 1;
                    if (setting.length == 2) {
                        settings.put(setting[0], setting[1]);
                    }
                }
                if (!train(Path.of(args[0]), settings, resume)) {
                    exitCode = 130;
                }
            } catch (LlavaException e) {
                System.err.println(e.getMessage());
                exitCode = e instanceof ConfigException ? 2 : 1;
            }
            System.exit(exitCode);
        }

        private static boolean train(Path file, Map<String, String> settings, boolean resume) {
            TrainConfig config = new RecipeLoader().load(file, settings, Map.of());
            String other = System.getenv("OTHER_DATA");
            int stopAfter = Integer.parseInt(System.getenv().getOrDefault("STOP_AFTER", "0"));
            int[] steps = new int[1];
            try (ProcessGroup group = ProcessGroups.join(Rank.fromEnvironment(System.getenv()), config)) {
                TrainConfig own =
                        other == null ? config : new RecipeLoader().load(file, Map.of("data.json", other), Map.of());
                boolean complete = TrainingRun.run(
                        config,
                        known -> {
                            Objective objective = Objectives.create(own, null, group);
                            System.out.println("parameters "
                                    + objective.parameters().layout().count());
                            System.out.println(
                                    "moved " + objective.parameters().values().numel());
                            return objective;
                        },
                        resume ? TrainingRun.Start.RESUME : TrainingRun.Start.NEW,
                        step -> steps[0]++,
                        () -> stopAfter > 0 && steps[0] >= stopAfter,
                        group);
                System.out.println("sent " + group.bytesSent());
                return complete;
            }
        }
    }
}
