package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.tensor.collective.ForkedRanks;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.shard.Sharding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What processes train that share optimiser, gradients or all weights, against one process whose accumulation is that many
 * times larger. Micro-batches of text only and of images are dealt to different processes.
 */
class ShardingTest {
    private static final int STEPS = 6;
    private static final String FILE = "model/model.safetensors";
    private static final Map<String, String> SETTINGS = Map.of(
            "optimizer.weight-decay", "0.1",
            "optimizer.projector-learning-rate", "0.003",
            "optimizer.max-grad-norm", "0",
            "schedule.max-steps", "" + STEPS);

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    /**
     * Terms are added in the order of the micro-batches, so that not a bit differs, with accumulation neither where each
     * micro-batch is summed over the processes. Of every weight and gradient that is exchanged, each process sends the
     * half that the other one needs.
     */
    @ParameterizedTest
    @CsvSource({"gradients, bf16, true, 2", "full, fp32, false, 1"})
    void sharesMoveAsOne(String sharding, String precision, String checkpointing, int accumulation) throws IOException {
        Map<String, String> settings =
                with(SETTINGS, "engine.precision", precision, "gradient-checkpointing", checkpointing);
        String name = String.join("-", sharding, precision, checkpointing);
        byte[] one = alone("one-" + name, settings, 2 * accumulation);
        String two = "two-" + name;

        List<String> outputs = ForkedRanks.succeed(
                2, RanksTest.Training.class, file(two, with(settings, "distributed.sharding", sharding), accumulation));

        assertThat(root.resolve(two).resolve(FILE)).hasBinaryContent(one);
        long blocks = elements(two, "model.layers.");
        long projector = elements(two, "model.mm_projector");
        long all = elements(two, "");
        long trained = all - elements(two, "model.vision_tower");
        long weight = precision.equals("bf16") ? 2 : 4;
        long ofStep = switch (sharding) {
            case "optimizer" -> (4 + weight) * trained;
            case "gradients" -> (4 * accumulation + weight) * trained;
            default -> accumulation * (4 * trained + weight * (all + blocks + projector));
        };
        // The whole model is gathered once more, to be saved.
        long atEnd = sharding.equals("full") ? weight * all : 0;
        long sent = (STEPS * ofStep + atEnd) / 2;
        for (String output : outputs) {
            assertThat(RanksTest.number(output, "parameters ")).isEqualTo(trained);
            assertThat(RanksTest.number(output, "moved ")).isBetween(trained / 2, trained / 2 + 10);
            assertThat(RanksTest.number(output, "sent ")).isBetween(sent, sent + 2 * STEPS * 4096);
        }
    }

    @ParameterizedTest
    @Tag("launch")
    @CsvSource({"optimizer, fp32, true, 1", "full, bf16, true, 2"})
    void sharesMoveAsOneWithOtherSettings(String sharding, String precision, String checkpointing, int accumulation)
            throws IOException {
        sharesMoveAsOne(sharding, precision, checkpointing, accumulation);
    }

    /**
     * The norm that gradients are clipped by is summed by shares, in another order, so that its 24 bits may differ in the
     * last ones. Adapters with dropout draw the same elements as one process does.
     */
    @ParameterizedTest
    @CsvSource("full, 4")
    void adaptersAreClippedAsOne(String sharding, String bits) throws IOException {
        Map<String, String> settings = with(
                SETTINGS,
                "lora.r",
                "4",
                "lora.alpha",
                "8",
                "lora.dropout",
                "0.3",
                "lora.bits",
                bits,
                "gradient-checkpointing",
                "true",
                "optimizer.max-grad-norm",
                "0.1");
        if (bits.equals("4")) {
            settings.put("model.language-model", tiny.wideLanguage().toString());
        }
        String name = "lora-" + sharding + bits;
        TrainConfig alone = recipe("one-" + name, settings, 4);
        assertThat(TrainingRun.run(alone, Objectives::create, false, step -> {}, () -> false))
                .isTrue();

        ForkedRanks.succeed(
                2, RanksTest.Training.class, file("two-" + name, with(settings, "distributed.sharding", sharding), 2));

        String file = "model/adapter_model.safetensors";
        assertThat(RanksTest.difference(
                        root.resolve("one-" + name).resolve(file),
                        root.resolve("two-" + name).resolve(file)))
                .isLessThan(1e-5);
    }

    @ParameterizedTest
    @Tag("launch")
    @CsvSource({"gradients, 16", "full, 16"})
    void otherAdaptersAreClippedAsOne(String sharding, String bits) throws IOException {
        adaptersAreClippedAsOne(sharding, bits);
    }

    /**
     * The embeddings have two terms in the gradient of a micro-batch, from the head and from the inputs, which one process adds to
     * its sum one after the other and several add to each other first.
     */
    @ParameterizedTest
    @EnumSource(names = "FULL")
    void tiedEmbeddingsMoveAsOne(Sharding sharding) throws IOException {
        Map<String, String> settings = with(
                SETTINGS,
                "model.language-model",
                tiny.tiedLanguage().toString(),
                "evaluation.data",
                root.resolve("pretrain.json").toString());
        String name = "tied-" + sharding;
        alone("one-" + name, settings, 4);

        ForkedRanks.succeed(
                2,
                RanksTest.Training.class,
                file(
                        "two-" + name,
                        with(settings, "distributed.sharding", sharding.name().toLowerCase(Locale.ROOT)),
                        2));

        assertThat(RanksTest.difference(
                        root.resolve("one-" + name).resolve(FILE),
                        root.resolve("two-" + name).resolve(FILE)))
                .isLessThan(1e-5);
    }

    @ParameterizedTest
    @Tag("launch")
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FULL")
    void tiedEmbeddingsMoveAsOneWithOtherSharding(Sharding sharding) throws IOException {
        tiedEmbeddingsMoveAsOne(sharding);
    }

    private static long elements(String run, String prefix) {
        try (SafeTensors model = SafeTensors.open(root.resolve(run).resolve(FILE))) {
            return model.tensors().values().stream()
                    .filter(entry -> entry.name().startsWith(prefix))
                    .mapToLong(TensorEntry::elements)
                    .sum();
        }
    }

    /** States of any sharding and number of processes are read by any other. */
    @ParameterizedTest
    @CsvSource("gradients, 2, full, 1")
    void aStoppedRunGoesOnWithOtherSharding(String first, int processes, String then, int processesThen)
            throws IOException {
        requireEqualAfterChange(first, processes, then, processesThen);
    }

    @ParameterizedTest
    @Tag("launch")
    @CsvSource({
        "full, 2, gradients, 4",
        "none, 4, full, 4",
        "gradients, 4, full, 2",
        "full, 4, none, 1",
        "optimizer, 4, full, 2"
    })
    void aStoppedRunGoesOnWithAnyOtherSharding(String first, int processes, String then, int processesThen)
            throws IOException {
        requireEqualAfterChange(first, processes, then, processesThen);
    }

    private static void requireEqualAfterChange(String first, int processes, String then, int processesThen)
            throws IOException {
        Map<String, String> settings = with(SETTINGS, "engine.precision", "bf16");
        String name = first + processes + then + processesThen;
        byte[] whole = alone("whole-" + name, settings, 4);
        String file = file(name, with(settings, "distributed.sharding", first), 4 / processes);
        try (ForkedRanks ranks = ForkedRanks.none()) {
            for (int rank = 0; rank < processes; rank++) {
                ranks.start(rank, processes, Map.of("STOP_AFTER", "3"), RanksTest.Training.class, file);
            }
            assertThat(ranks.await()).allMatch(ended -> ended.exitCode() == 130);
        }

        Map<String, String> changed = with(settings, "distributed.sharding", then);
        if (processesThen == 1) {
            assertThat(TrainingRun.run(recipe(name, changed, 4), Objectives::create, true, step -> {}, () -> false))
                    .isTrue();
        } else {
            ForkedRanks.succeed(
                    processesThen, RanksTest.Training.class, file(name, changed, 4 / processesThen), "resume");
        }

        assertThat(root.resolve(name).resolve(FILE)).hasBinaryContent(whole);
    }

    /** The held-out loss gathers weights unit by unit between two steps; the best model is saved from shares. */
    @Test
    void sharedWeightsAreEvaluatedAsOne() throws IOException {
        Map<String, String> settings = with(
                SETTINGS,
                "evaluation.data",
                root.resolve("pretrain.json").toString(),
                "evaluation.every-steps",
                "4",
                "evaluation.keep-best",
                "true",
                "evaluation.samples",
                "2",
                "evaluation.max-new-tokens",
                "4");
        byte[] one = alone("one-evaluated", settings, 2);

        ForkedRanks.succeed(
                2, RanksTest.Training.class, file("two-evaluated", with(settings, "distributed.sharding", "full"), 1));

        assertThat(root.resolve("two-evaluated").resolve(FILE)).hasBinaryContent(one);
        assertThat(root.resolve("two-evaluated/samples.jsonl"))
                .hasSameTextualContentAs(root.resolve("one-evaluated/samples.jsonl"));
        assertThat(root.resolve("two-evaluated/best")).isNotEmptyDirectory();
    }

    private static byte[] alone(String output, Map<String, String> settings, int accumulation) throws IOException {
        TrainConfig config = recipe(output, settings, accumulation);
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        return Files.readAllBytes(root.resolve(output).resolve(FILE));
    }

    private static Map<String, String> with(Map<String, String> settings, String... more) {
        Map<String, String> all = new HashMap<>(settings);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private static TrainConfig recipe(String output, Map<String, String> settings, int accumulation) {
        return tiny.recipe("finetune", "plain", output, with(settings, "batch.accumulation", "" + accumulation));
    }

    private static String file(String output, Map<String, String> settings, int accumulation) throws IOException {
        Path file = root.resolve(output + "-ranks.yaml");
        Files.writeString(file, ConfigFile.toYaml(recipe(output, settings, accumulation)));
        return file.toString();
    }
}
