package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.MergedModel;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.ForkedRanks;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.feature.ImageFeatures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs on images in tiles: towers read several views of an image, and images have different numbers of tokens. */
class TiledRunTest {
    private static final String GRIDS = "[[16, 32], [32, 16], [32, 32]]";
    private static final String FILE = "model/model.safetensors";
    private static final TrainingListener NOBODY = step -> {};

    /** Sizes of the images, and their tokens: 4 of the whole image, then rows of the map that end with a row-end token. */
    private static final int[][] SIZES = {
        {20, 14, 10}, {40, 40, 24}, {14, 20, 10}, {64, 32, 14}, {30, 60, 16}, {9, 9, 10}
    };

    @TempDir
    private static Path root;

    private static TinyRun tiny;
    private static Path data;

    @BeforeAll
    static void write() throws IOException {
        tiny = new TinyRun(root);
        List<Map<String, Object>> records = new ArrayList<>();
        Random random = new Random(5);
        for (int i = 0; i < 24; i++) {
            int[] size = SIZES[i % SIZES.length];
            String image = "tiled-" + i + ".png";
            BufferedImage pixels = new BufferedImage(size[0], size[1], BufferedImage.TYPE_INT_RGB);
            int colour = i % 2 == 0 ? 0xff0000 : 0x0000ff;
            for (int at = 0; at < size[0] * size[1]; at++) {
                pixels.setRGB(at % size[0], at / size[0], colour | random.nextInt(64) << 8);
            }
            ImageIO.write(pixels, "png", tiny.images().resolve(image).toFile());
            records.add(TinyRun.record("p" + i, image, "<image>\nWhat colour is this?", i % 2 == 0 ? "red" : "blue"));
        }
        for (int i = 0; i < 8; i++) {
            records.add(TinyRun.record("t" + i, "", "Is red a colour?", "yes"));
        }
        data = tiny.data("tiled.json", records);
    }

    private static TrainConfig recipe(String stage, String output, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of(
                "data.json",
                data.toString(),
                "data.image-aspect-ratio",
                "anyres",
                "model.image-grids",
                GRIDS,
                "model.patch-merge-type",
                "spatial_unpad"));
        all.putAll(settings);
        all.values().removeIf(String::isEmpty);
        return tiny.recipe(stage, "plain", output, all);
    }

    private static byte[] train(TrainConfig config) throws IOException {
        assertThat(TrainingRun.run(config, Objectives::create, false, NOBODY, () -> false))
                .isTrue();
        return Files.readAllBytes(config.output().resolve(FILE));
    }

    private static float[] rowEnd(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return checkpoint.tensor(CanonicalNames.ROW_END).toFloats();
        }
    }

    @Test
    void imagesHaveTheTokensOfTheirSizeAndTheLossFalls() throws IOException {
        TrainConfig config = recipe(
                "finetune",
                "long",
                Map.of("schedule.max-steps", "32", "data.group-by-modality", "false", "batch.accumulation", "1"));
        List<TrainingListener.Step> steps = new ArrayList<>();
        TrainingRun.run(config, Objectives::create, false, steps::add, () -> false);
        assertThat(mean(steps.subList(24, 32))).isLessThan(0.5 * mean(steps.subList(0, 8)));

        LlavaConfig model;
        try (Checkpoint checkpoint =
                Checkpoint.open(config.output().resolve("model")).requireComplete()) {
            model = checkpoint.config();
        }
        assertThat(model.aspectMode()).isEqualTo(AspectMode.ANYRES);
        assertThat(model.tiling())
                .isEqualTo(new Tiling(
                        List.of(new ImageSize(16, 32), new ImageSize(32, 16), new ImageSize(32, 32)),
                        PatchMerge.SPATIAL_UNPAD));
        for (int[] size : SIZES) {
            assertThat(model.imagePreparation()
                            .order(new ImageSize(size[0], size[1]))
                            .tokens(model.tokensPerView()))
                    .isEqualTo(size[2]);
        }
        // What the largest canvas leaves no place for is told before the first step.
        int most = model.tokensPerImage();
        assertThat(TrainingData.longImages(most, model))
                .hasValueSatisfying(sentence -> assertThat(sentence)
                        .startsWith("an image in tiles has up to %1$d tokens, and data.max-length is %1$d"
                                .formatted(most)));
        assertThat(TrainingData.longImages(most + 1, model)).isEmpty();
        // An epoch reads each image once: 24 samples of text and image tokens, 8 of text.
        long tokens = steps.subList(0, 16).stream()
                .mapToLong(TrainingListener.Step::tokens)
                .sum();
        assertThat(steps.subList(16, 32).stream()
                        .mapToLong(TrainingListener.Step::tokens)
                        .sum())
                .isEqualTo(tokens);
    }

    private static double mean(List<TrainingListener.Step> steps) {
        return steps.stream().mapToDouble(TrainingListener.Step::loss).average().orElseThrow();
    }

    /** Stage 1 leaves the row-end token as it was drawn and its file without it; stage 2 draws the same and trains it. */
    @Test
    void bothStagesRun() throws IOException {
        TrainConfig first = recipe(
                "pretrain",
                "stage1",
                Map.of("data.json", root.resolve("pretrain.json").toString()));
        TrainingRun.run(first, Objectives::create, false, NOBODY, () -> false);
        Path projector = root.resolve("stage1/model").resolve(ModelFiles.PROJECTOR);
        try (SafeTensors file = SafeTensors.open(projector)) {
            assertThat(file.tensors().keySet()).hasSize(4).doesNotContain(CanonicalNames.ROW_END);
        }
        TrainConfig second = recipe("finetune", "stage2", Map.of("model.projector", projector.toString()));
        float[] drawn;
        try (Objective objective = Objectives.create(second)) {
            assertThat(objective.notes())
                    .contains("the row-end token of tiled images starts from random weights, because no file has it");
            drawn = Tensors.toFloats(
                    Objects.requireNonNull(objective.parameters().views().get(CanonicalNames.ROW_END)));
        }
        train(second);
        float[] trained = rowEnd(second.output().resolve("model"));
        assertThat(trained).hasSize(16).isNotEqualTo(drawn);

        // A base that tiles images needs no keys, and its row-end token is trained further.
        Map<String, String> base = Map.of(
                "model.base", second.output().resolve("model").toString(),
                "model.vision-tower", "",
                "model.language-model", "",
                "model.image-grids", "",
                "model.patch-merge-type", "",
                "schedule.max-steps", "2");
        TrainConfig further = ofBase("further", base);
        train(further);
        assertThat(rowEnd(further.output().resolve("model"))).isNotEqualTo(trained);

        assertThatThrownBy(() -> train(ofBase("padded", with(base, "data.image-aspect-ratio", "pad"))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("reads images in tiles; set data.image-aspect-ratio to anyres");
        assertThatThrownBy(() -> train(ofBase("other", with(base, "model.image-grids", "[[32, 32]]"))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("differs from that of model.base")
                .hasMessageContaining("remove both keys");
    }

    private static TrainConfig ofBase(String output, Map<String, String> settings) {
        String yaml = "stage: finetune\noutput: %s\n".formatted(root.resolve(output));
        Map<String, String> all = with(
                settings,
                "data.json",
                data.toString(),
                "data.images",
                tiny.images().toString(),
                "data.max-length",
                "200",
                "batch.per-device",
                "2");
        all.putIfAbsent("data.image-aspect-ratio", "anyres");
        all.values().removeIf(String::isEmpty);
        try {
            return new RecipeLoader().load(Files.writeString(root.resolve(output + ".yaml"), yaml), all, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "data.image-aspect-ratio | pad | model.image-grids is for images in tiles; set data.image-aspect-ratio to anyres",
                "model.select-feature | cls-patch | has no place for the CLS feature; set it to patch",
                "model.image-grids | '' | data.image-aspect-ratio is anyres but model.image-grids is missing; write canvases",
                "model.image-grids | [] | model.image-grids is empty; write canvases such as",
                "model.image-grids | [[16]] | model.image-grids has [16], which is no [width, height] in pixels",
                "model.image-grids | [16, 32] | model.image-grids[0] must be a list such as [1, 2], not '16'",
                "model.image-grids | [[16, wide]] | model.image-grids[0][1] must be a whole number, not 'wide'",
                "model.image-grids | [[16, 40]] | has [16, 40], but width and height must be multiples of the vision tower's 16 pixels",
                "model.image-grids | [[0, 16]] | has [0, 16], but width and height must be multiples of the vision tower's 16 pixels",
                "model.patch-merge-type | rows | model.patch-merge-type must be flat or spatial or spatial-unpad, not 'rows'",
                "model.projector-type | avg_pool_2x2_mlp2x_gelu | does not do with images in tiles; use mlp2x_gelu"
            })
    void whatDoesNotGoTogetherIsRefused(String key, String value, String message) {
        assertThatThrownBy(() -> Objectives.create(recipe("finetune", "refused", Map.of(key, value)))
                        .close())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aStoppedRunGoesOnToTheSameBits() throws IOException {
        byte[] whole = train(recipe("finetune", "whole", Map.of()));
        TrainConfig parts = recipe("finetune", "parts", Map.of());
        int[] left = {5};
        TrainingRun.run(parts, Objectives::create, false, NOBODY, () -> --left[0] == 0);
        assertThat(TrainingRun.run(parts, Objectives::create, true, NOBODY, () -> false))
                .isTrue();
        assertThat(parts.output().resolve(FILE)).hasBinaryContent(whole);
    }

    @Test
    void keptFeaturesLeaveTheSameBytes() throws IOException {
        Map<String, String> cached =
                Map.of("data.feature-cache", root.resolve("cache").toString(), "engine.precision", "bf16");
        byte[] cold = train(recipe("finetune", "cold", cached));
        List<TrainingListener.Step> steps = new ArrayList<>();
        TrainConfig warm = recipe("finetune", "warm", cached);
        TrainingRun.run(warm, Objectives::create, false, steps::add, () -> false);
        assertThat(warm.output().resolve(FILE)).hasBinaryContent(cold);
        ImageFeatures sum =
                steps.stream().map(TrainingListener.Step::images).reduce(ImageFeatures.NONE, ImageFeatures::plus);
        assertThat(sum.cached()).isEqualTo(sum.images()).isPositive();

        // Other canvases and another order are other files.
        long before = files();
        train(recipe("finetune", "flat", with(cached, "model.patch-merge-type", "flat", "schedule.max-steps", "1")));
        assertThat(files()).isGreaterThan(before);
    }

    private static long files() throws IOException {
        try (var files = Files.walk(root.resolve("cache"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }

    /** Packed sequences of different numbers of image tokens give the losses of padded ones. */
    @Test
    void packingChangesNoLoss() {
        Course padded = course(recipe("finetune", "padded-loss", Map.of("schedule.max-steps", "2")));
        Course packed =
                course(recipe("finetune", "packed-loss", Map.of("schedule.max-steps", "2", "data.packing", "true")));
        assertThat(packed.losses().getFirst()).isCloseTo(padded.losses().getFirst(), within(1e-5));
        assertThat(packed.gradients().getFirst())
                .containsExactly(padded.gradients().getFirst(), within(1e-4f));
    }

    private static Course course(TrainConfig config) {
        Course course = new Course();
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, course, () -> false).run(false);
        }
        return course;
    }

    /** Central differences of the loss along the gradients of the row-end token and of the projector. */
    @Test
    void gradientsAreTheSlopesOfTheLoss() {
        TrainConfig config = recipe(
                "finetune",
                "slopes",
                Map.of(
                        "schedule.max-steps", "1",
                        "batch.accumulation", "1",
                        "batch.per-device", "8",
                        "data.group-by-modality", "false",
                        "optimizer.max-grad-norm", "0"));
        float[] gradients = course(config).gradients().getFirst();
        try (Objective objective = Objectives.create(config)) {
            for (String name : List.of(CanonicalNames.ROW_END, "model.mm_projector.2.weight")) {
                var place = objective.parameters().layout().place(name);
                float[] direction = new float[Math.toIntExact(place.length())];
                System.arraycopy(gradients, Math.toIntExact(place.offset()), direction, 0, direction.length);
                double norm = 0;
                for (float each : direction) {
                    norm += (double) each * each;
                }
                double length = Math.sqrt(norm);
                double step = 0.02;
                double slope = (moved(objective, place.offset(), direction, step / length)
                                - moved(objective, place.offset(), direction, -step / length))
                        / (2 * step);
                assertThat(length).isGreaterThan(1e-3);
                assertThat(slope).isCloseTo(length, within(0.02 * length + 1e-4));
            }
        }
    }

    private static double moved(Objective objective, long offset, float[] direction, double times) {
        return Engine.inference("a loss", () -> {
            Tensor values = objective.parameters().values().narrow(0, offset, direction.length);
            float[] before = Tensors.toFloats(values);
            float[] after = before.clone();
            for (int i = 0; i < after.length; i++) {
                after[i] += (float) (times * direction[i]);
            }
            values.copy_(Tensors.of(after, after.length));
            objective.parameters().valuesChanged();
            double loss = Objects.requireNonNull(objective.microBatch(0, 0, 1))
                    .get()
                    .loss()
                    .item_double();
            values.copy_(Tensors.of(before, before.length));
            objective.parameters().valuesChanged();
            return loss;
        });
    }

    /** Processes that share all weights, of which one reads text only while the other reads tiles. */
    @Test
    void aProcessOfTextOnlySharesTheRowEndToken() throws IOException {
        Map<String, String> settings = Map.of(
                "optimizer.max-grad-norm", "0",
                "optimizer.weight-decay", "0.1",
                "data.group-by-modality", "false",
                "batch.per-device", "1",
                "schedule.max-steps", "8");
        byte[] one = train(recipe("finetune", "one", settings));
        Path two = Files.writeString(
                root.resolve("two-ranks.yaml"),
                ConfigFile.toYaml(recipe(
                        "finetune", "two", with(settings, "distributed.sharding", "full", "batch.accumulation", "1"))));
        ForkedRanks.succeed(2, RanksTest.Training.class, two.toString());
        assertThat(root.resolve("two").resolve(FILE)).hasBinaryContent(one);
    }

    /** LLaVA trains a row-end token with the adapters, and saves it with the projector. */
    @Test
    void adaptersBringTheRowEndToken() throws IOException {
        Map<String, String> lora = Map.of("lora.r", "4", "lora.alpha", "8", "lora.dropout", "0");
        TrainConfig config = recipe("finetune", "lora", lora);
        float[] drawn;
        try (Objective objective = Objectives.create(config)) {
            drawn = Tensors.toFloats(
                    Objects.requireNonNull(objective.parameters().views().get(CanonicalNames.ROW_END)));
        }
        TrainingRun.run(config, Objectives::create, false, NOBODY, () -> false);
        Path saved = config.output().resolve("model");
        try (PeftAdapter adapter = PeftAdapter.open(saved);
                MergedModel merged = MergedModel.open(saved, null, null)) {
            assertThat(adapter.others().keySet()).hasSize(5).contains(CanonicalNames.ROW_END);
            assertThat(merged.config().tiling().hasRowEnd()).isTrue();
            float[] trained = Objects.requireNonNull(adapter.others().get(CanonicalNames.ROW_END))
                    .toFloats();
            assertThat(trained).isNotEqualTo(drawn);
            assertThat(merged.tensors().stream()
                            .filter(tensor -> tensor.name().equals(CanonicalNames.ROW_END))
                            .count())
                    .isOne();
        }
    }

    /** Held-out records are read in tiles too, and a sample answer sees them. */
    @Test
    void heldOutRecordsAreReadInTiles() throws IOException {
        TrainConfig config = recipe(
                "finetune",
                "held-out",
                Map.of(
                        "schedule.max-steps", "2",
                        "evaluation.data", data.toString(),
                        "evaluation.every-steps", "2",
                        "evaluation.samples", "2",
                        "evaluation.max-new-tokens", "2"));
        train(config);
        assertThat(Files.readString(config.output().resolve("metrics.jsonl"))).contains("evaluation_loss");
        assertThat(Files.readAllLines(config.output().resolve("samples.jsonl"))).isNotEmpty();
    }

    /** A record whose answer lies beyond the longest sequence because of its tiles is left out and counted. */
    @Test
    void answersThatTilesPushOutAreLeftOut() {
        TrainConfig narrow = recipe(
                "finetune",
                "narrow",
                Map.of(
                        "data.max-length", "" + (beforeTheAnswer() + 23),
                        "data.max-left-out", "1",
                        "schedule.max-steps", "9",
                        "data.group-by-modality", "false"));
        try (Objective objective = Objectives.create(narrow)) {
            new Trainer(narrow, objective, Checkpoints.NONE, NOBODY, () -> false).run(false);
            assertThat(objective.skipped()).hasSize(4);
            assertThat(objective.skipped())
                    .extracting(SkippedRecord::reason)
                    .allMatch(reason -> reason.startsWith("no token of an answer is left within data.max-length, as its"
                            + " images in tiles have 24 tokens"));
        }
    }

    /** Tokens before a record's answer, its image as one. */
    private static int beforeTheAnswer() {
        SamplePrompts prompts = new SamplePrompts(
                new PromptBuilder(SentencePieceTokenizer.load(tiny.language()), ConversationTemplate.V1), 200, 4);
        try (LlavaData records = LlavaFiles.read(data, Policy.FAIL, QuestionRows.STANDARD, tiny.images())) {
            int[] labels = prompts.of(records.records().getFirst()).labels();
            int first = 0;
            while (labels[first] == Prompt.IGNORE_INDEX) {
                first++;
            }
            return first;
        }
    }

    private static Map<String, String> with(Map<String, String> settings, String... more) {
        Map<String, String> all = new HashMap<>(settings);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }
}
