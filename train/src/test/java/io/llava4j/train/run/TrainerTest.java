package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.EngineWeights;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainerTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private static Path root;

    private static TinyRun tiny;
    private static SentencePieceTokenizer tokenizer;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
        tokenizer = SentencePieceTokenizer.load(tiny.language());
    }

    /** Gradients, steps and parameters of a run on chosen samples. */
    private static final class Watched implements TrainingListener {
        private final List<float[]> gradients = new ArrayList<>();
        private final List<float[]> values = new ArrayList<>();
        private final List<Step> steps = new ArrayList<>();
        private @Nullable TrainableParameters parameters;

        @Override
        public void gradients(TrainableParameters all) {
            parameters = all;
            gradients.add(Tensors.toFloats(all.gradients()));
        }

        @Override
        public void step(Step step) {
            steps.add(step);
            if (parameters != null) {
                values.add(Tensors.toFloats(parameters.values()));
            }
        }
    }

    @Test
    void anImageWithNanStopsTheRunAndMovesNothing() {
        float[] broken = pixels(1);
        broken[7] = Float.NaN;
        TrainConfig config = tiny.recipe("finetune", "plain", "nan", Map.of("batch.accumulation", "1"));
        ExampleSource source = source((step, micro) -> step < 2
                ? List.of(seen("good", "red", pixels(2)))
                : List.of(seen("fine", "red", pixels(3)), seen("broken", "blue", broken)));
        Watched watched = new Watched();
        try (Objective objective = Objectives.create(config, source)) {
            Trainer trainer = new Trainer(config, objective, Checkpoints.NONE, watched, () -> false);
            assertThatThrownBy(() -> trainer.run(false))
                    .isInstanceOf(LlavaException.class)
                    .hasMessageContaining("the loss became NaN at step 3 on samples fine, broken")
                    .hasMessageContaining("the parameters were not moved");
            assertThat(watched.steps).hasSize(2);
            assertThat(values(objective)).containsExactly(watched.values.getLast());
        }
    }

    @Test
    void anInfiniteGradientStopsTheRunAndMovesNothing() {
        TrainConfig config = tiny.recipe("finetune", "plain", "endless", Map.of("batch.accumulation", "1"));
        ExampleSource source = source((step, micro) -> List.of(seen("sample", "red", pixels(2))));
        try (Objective objective = Objectives.create(config, source)) {
            TrainingListener poison = new TrainingListener() {
                @Override
                public void gradients(TrainableParameters parameters) {
                    parameters.gradients().narrow(0, 0, 1).mul_(Tensors.scalar(Double.POSITIVE_INFINITY));
                    parameters.gradients().narrow(0, 0, 1).add_(Tensors.scalar(Double.POSITIVE_INFINITY));
                }

                @Override
                public void step(Step step) {}
            };
            float[] before = values(objective);
            Trainer trainer = new Trainer(config, objective, Checkpoints.NONE, poison, () -> false);
            assertThatThrownBy(() -> trainer.run(false))
                    .isInstanceOf(LlavaException.class)
                    .hasMessageContaining("the gradient norm became")
                    .hasMessageContaining("step 1 on samples sample");
            assertThat(values(objective)).containsExactly(before);
        }
    }

    @Test
    void theTowerIsFrozenAndAllOtherPartsAreTrained() {
        TrainConfig config = tiny.recipe("finetune", "stem", "parts", Map.of("schedule.max-steps", "3"));
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        ModelLoader.Loaded start = Objectives.start(config);
        try (LlavaModel before = start.model();
                Checkpoint written = Checkpoint.open(config.output().resolve("model"));
                Weights after = EngineWeights.weights(written.tensors(), "cpu")) {
            assertThat(after.names())
                    .containsExactlyInAnyOrderElementsOf(before.weights().names());
            for (String name : before.weights().names()) {
                float[] first = Tensors.toFloats(before.weights().get(name));
                float[] last = Tensors.toFloats(after.get(name));
                assertThat(Arrays.equals(first, last)).as(name).isEqualTo(name.contains("vision_tower"));
            }
        }
    }

    @Test
    void stageOneTrainsAndSavesTheProjectorOnly() {
        TrainConfig config = tiny.recipe("pretrain", "plain", "projector", Map.of("schedule.max-steps", "3"));
        try (Objective objective = Objectives.create(config)) {
            assertThat(objective.parameters().views().keySet())
                    .hasSize(4)
                    .allMatch(name -> name.startsWith("model.mm_projector."));
        }
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        try (SafeTensors saved =
                SafeTensors.open(config.output().resolve("model").resolve(ModelFiles.PROJECTOR))) {
            assertThat(saved.tensors().keySet())
                    .containsExactlyInAnyOrder(
                            "model.mm_projector.0.weight",
                            "model.mm_projector.0.bias",
                            "model.mm_projector.2.weight",
                            "model.mm_projector.2.bias");
        }
    }

    @Test
    void labelledPositionsGiveTheLossAndGradientsOfAllLogits() {
        TrainConfig config = tiny.recipe("finetune", "plain", "loss", Map.of());
        ModelLoader.Loaded start = Objectives.start(config);
        LlavaModel own = start.model();
        TrainableParameters parameters =
                Engine.scope("parameters", () -> new TrainableParameters(own.weights(), name -> true));
        try (LlavaModel model = new LlavaModel(own.config(), own.weights())) {
            LlamaModel languageModel = model.llama();
            float[][] gradients = new float[2][];
            double[] losses = new double[2];
            for (int way = 0; way < 2; way++) {
                boolean all = way == 1;
                int at = way;
                Engine.scope("a loss", () -> {
                    parameters.zeroGradients();
                    Prompt first = prompt("<image>\nWhat colour is this?", "red and blue", 1);
                    Prompt second = prompt("Is red a colour?", "yes", 0);
                    LlavaModel.Output output = model.forward(ModelInput.of(
                            List.of(first.ids(), second.ids()),
                            List.of(first.labels(), second.labels()),
                            List.of(PreparedImage.of(pixels(1)))));
                    int[][] labels = output.sequences().labels();
                    Tensor loss = all
                            ? SequenceLoss.ofAllLogits(languageModel, output.hidden(), labels)
                            : SequenceLoss.of(languageModel, output.hidden(), labels);
                    loss.backward();
                    losses[at] = loss.item_double();
                    gradients[at] = Tensors.toFloats(parameters.gradients());
                    return null;
                });
            }
            assertThat(losses[0]).isEqualTo(losses[1], within(1e-6));
            assertThat(gradients[0]).containsExactly(gradients[1], within(1e-6f));
            assertThat(norm(gradients[0])).isGreaterThan(0.1);
        } finally {
            parameters.close();
        }
    }

    /** With and without gradient checkpointing, of which the loss is the first part of the backward pass. */
    @ParameterizedTest
    @CsvSource({"1,false", "3,false", "3,true", "100,false"})
    void aLossInChunksGivesTheLossAndGradientsOfOneGraph(int chunk, boolean checkpointing) {
        ModelLoader.Loaded start = Objectives.start(tiny.recipe("finetune", "plain", "chunks", Map.of()));
        LlavaModel own = start.model();
        TrainableParameters parameters =
                Engine.scope("parameters", () -> new TrainableParameters(own.weights(), name -> true));
        try (LlavaModel model = new LlavaModel(own.config(), own.weights())) {
            List<float[]> gradients = new ArrayList<>();
            List<float[]> tokens = new ArrayList<>();
            List<Double> losses = new ArrayList<>();
            for (boolean whole : new boolean[] {true, false}) {
                Engine.scope("a loss", () -> {
                    parameters.zeroGradients();
                    Prompt first = prompt("<image>\nWhat colour is this?", "red and blue", 1);
                    Prompt second = prompt("Is red a colour?", "yes yes yes", 0);
                    LlavaModel.TrainingOutput output = model.train(
                            ModelInput.of(
                                    List.of(first.ids(), second.ids()),
                                    List.of(first.labels(), second.labels()),
                                    List.of(PreparedImage.of(pixels(1)))),
                            new LlavaModel.TrainingMode(checkpointing, false, 1));
                    int[][] labels = output.sequences().labels();
                    Tensor hidden = output.pass().hidden();
                    SequenceLoss.Losses loss = whole
                            ? SequenceLoss.inOneGraph(model.llama(), hidden, labels)
                            : SequenceLoss.inChunks(model.llama(), hidden, labels, chunk);
                    loss.mean().div(Tensors.scalar(2)).backward();
                    loss.remainingBackward().run();
                    output.pass().backward();
                    losses.add(loss.mean().item_double());
                    tokens.add(loss.ofTokens().get());
                    gradients.add(Tensors.toFloats(parameters.gradients()));
                    return null;
                });
            }
            assertThat(losses.get(1)).isEqualTo(losses.get(0), within(1e-6));
            assertThat(tokens.get(1)).containsExactly(tokens.get(0), within(1e-6f));
            assertThat(gradients.get(1)).containsExactly(gradients.get(0), within(1e-6f));
            assertThat(norm(gradients.get(0))).isGreaterThan(0.1);
        } finally {
            parameters.close();
        }
    }

    /** Not weighted by tokens (docs/reference/training.md#loss). */
    @Test
    void accumulationIsTheMeanOfTheMicroBatchesMeans() {
        List<Example> brief = List.of(seen("a", "red", pixels(1)));
        List<Example> lengthy = List.of(read("b", "yes and ".repeat(6)), read("c", "yes"));
        Watched both = firstStep(2, List.of(brief, lengthy));
        Watched one = firstStep(1, List.of(brief));
        Watched other = firstStep(1, List.of(lengthy));
        assertThat(both.steps.getFirst().loss())
                .isEqualTo((one.steps.getFirst().loss() + other.steps.getFirst().loss()) / 2, within(1e-6));
        assertThat(both.steps.getFirst().samples()).isEqualTo(3);
        float[] mean = new float[both.gradients.getFirst().length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (one.gradients.getFirst()[i] + other.gradients.getFirst()[i]) / 2;
        }
        assertThat(both.gradients.getFirst()).containsExactly(mean, within(1e-6f));
    }

    @Test
    void aMicroBatchWithoutSamplesDoesNotEndTheStep() {
        List<Example> samples = List.of(seen("a", "red", pixels(1)));
        Watched alone = firstStep(1, List.of(samples));
        Watched gap = firstStep(2, List.of(List.of(), samples));
        assertThat(gap.steps.getFirst().samples()).isEqualTo(1);
        assertThat(gap.steps.getFirst().loss()).isEqualTo(alone.steps.getFirst().loss(), within(1e-6));
        assertThat(gap.gradients.getFirst()).containsExactly(alone.gradients.getFirst(), within(1e-6f));
    }

    @Test
    void aStepWithoutSamplesMovesNothing() {
        TrainConfig config =
                tiny.recipe("finetune", "plain", "empty", Map.of("batch.accumulation", "2", "schedule.max-steps", "4"));
        ExampleSource source =
                source((step, micro) -> step == 1 || step == 2 ? List.of() : List.of(seen("a", "red", pixels(step))));
        Watched watched = new Watched();
        try (Objective objective = Objectives.create(config, source)) {
            assertThat(new Trainer(config, objective, Checkpoints.NONE, watched, () -> false).run(false))
                    .isTrue();
        }
        assertThat(watched.steps).extracting(TrainingListener.Step::samples).containsExactly(2, 0, 0, 2);
        assertThat(watched.steps.get(1).loss()).isNaN();
        assertThat(watched.values.get(1)).containsExactly(watched.values.get(0));
        assertThat(watched.values.get(2)).containsExactly(watched.values.get(0));
        assertThat(watched.values.get(3)).isNotEqualTo(watched.values.get(0));
        assertThat(watched.steps.get(3).loss()).isFinite();
    }

    @Test
    void skippedRecordsAreListedOnceAlsoAcrossAResume() throws IOException {
        String question = "<image>\n" + "What colour is this? ".repeat(3);
        Prompt prompt = prompt(question, "red", 1);
        int answer = 0;
        while (prompt.labels()[answer] == Prompt.IGNORE_INDEX) {
            answer++;
        }
        Files.writeString(tiny.images().resolve("broken.png"), "no image");
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            records.add(TinyRun.record("good-" + i, "image-" + i + ".png", "<image>\nIs it?", "yes"));
        }
        records.add(TinyRun.record("absent", "absent.png", "<image>\nIs it?", "yes"));
        records.add(TinyRun.record("broken", "broken.png", "<image>\nIs it?", "yes"));
        records.add(TinyRun.record("no-answer", "image-1.png", "<image>\nIs it?", ""));
        // As text the answer starts before the limit; with the image's tokens in the sequence it starts after it.
        records.add(TinyRun.record("too-long", "image-1.png", question, "red"));
        Map<String, String> settings = Map.of(
                "data.json", tiny.data("skipping.json", records).toString(),
                "data.missing-image-policy", "skip",
                "data.max-left-out", "1",
                "data.max-length", Integer.toString(answer + 2),
                "batch.per-device", "1",
                "schedule.max-steps", "12");
        TrainConfig whole = tiny.recipe("finetune", "plain", "skipping", settings);
        TrainingRun.run(whole, Objectives::create, false, step -> {}, () -> false);
        List<JsonNode> skipped = lines(whole.output().resolve("skipped.jsonl"));
        assertThat(skipped)
                .extracting(line -> line.path("id").asString())
                .containsExactlyInAnyOrder("absent", "broken", "no-answer", "too-long");
        assertThat(skipped).allSatisfy(line -> {
            assertThat(line.path("file").asString()).endsWith("skipping.json");
            assertThat(line.path("reason").asString()).isNotEmpty();
        });
        assertThat(lines(whole.output().resolve("metrics.jsonl")))
                .hasSize(12)
                .allSatisfy(
                        line -> assertThat(line.path("grad_norm").isNumber()).isTrue());

        TrainConfig broken = tiny.recipe("finetune", "plain", "skipping-resumed", settings);
        int[] last = {0};
        assertThat(TrainingRun.run(
                        broken, Objectives::create, false, step -> last[0] = step.step(), () -> last[0] == 5))
                .isFalse();
        assertThat(TrainingRun.run(broken, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        assertThat(lines(broken.output().resolve("skipped.jsonl"))).isEqualTo(skipped);
    }

    /** Text is truncated when it is tokenized; with an image, the splice truncates once more. */
    @Test
    void truncationIsCounted() throws IOException {
        String longAnswer = "yes and ".repeat(60).strip();
        List<Map<String, Object>> records = List.of(
                TinyRun.record("short", "", "Is it?", "yes"),
                TinyRun.record("text", "", "Is it?", longAnswer),
                TinyRun.record("image", "image-1.png", "<image>\nIs it?", longAnswer),
                TinyRun.record("fits", "image-2.png", "<image>\nIs it?", "yes"));
        TrainConfig config = tiny.recipe(
                "finetune",
                "plain",
                "truncation",
                Map.of(
                        "data.json", tiny.data("truncation.json", records).toString(),
                        "data.max-length", "150",
                        "schedule.max-steps", "1"));
        List<Truncation> truncations = new ArrayList<>();
        TrainingRun.run(config, Objectives::create, false, step -> truncations.add(step.truncation()), () -> false);
        Prompt text = prompt("Is it?", longAnswer, 0);
        int image = prompt("<image>\nIs it?", longAnswer, 1).length() - 1 + 4;
        int lost = text.length() + text.truncatedTokens() - 150 + image - 150;
        assertThat(truncations).containsExactly(new Truncation(2, lost));
        assertThat(lines(config.output().resolve("metrics.jsonl")))
                .singleElement()
                .satisfies(line -> {
                    assertThat(line.path("cut_samples").asInt()).isEqualTo(2);
                    assertThat(line.path("cut_tokens").asInt()).isEqualTo(lost);
                });
    }

    @Test
    void whatWasTrainedAnswers() {
        TrainConfig config = tiny.recipe(
                "finetune", "plain", "answers", Map.of("schedule.max-steps", "1", "data.max-length", "150"));
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
        RgbImage image = new RgbImage(6, 4, new byte[3 * 6 * 4]);
        try (LlavaPipeline llava = LlavaPipeline.open(config.output().resolve("model"))) {
            GenerationOptions options = GenerationOptions.greedy(5);
            ChatRequest seen = new ChatRequest(List.of(Turn.human("<image>\nWhat colour is this?")), List.of(image));
            ChatRequest read = new ChatRequest(List.of(Turn.human("Is red a colour?")), List.of());
            List<String> together = llava.answer(List.of(seen, read), options);
            assertThat(together)
                    .containsExactly(
                            llava.answer(List.of(seen), options).getFirst(),
                            llava.answer(List.of(read), options).getFirst());
            assertThat(llava.stream(seen, options, text -> true).text()).isEqualTo(together.getFirst());
            // Two wrongs in one batch must not make a right.
            ChatRequest tooMany = new ChatRequest(List.of(Turn.human("Is red a colour?")), List.of(image));
            ChatRequest tooFew = new ChatRequest(List.of(Turn.human("<image>\nWhat colour is this?")), List.of());
            assertThatThrownBy(() -> llava.answer(List.of(tooMany, tooFew), options))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("a request has 0 <image> placeholders for 1 images");
            ChatRequest endless = new ChatRequest(List.of(Turn.human("Is red a colour?".repeat(40))), List.of());
            assertThatThrownBy(() -> llava.answer(List.of(endless), options))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("but the model reads 150; shorten the conversation");
        }
    }

    private static Watched firstStep(int accumulation, List<List<Example>> microBatches) {
        TrainConfig config = tiny.recipe(
                "finetune",
                "plain",
                "accumulation",
                Map.of("batch.accumulation", Integer.toString(accumulation), "schedule.max-steps", "1"));
        Watched watched = new Watched();
        try (Objective objective = Objectives.create(config, source((step, micro) -> microBatches.get(micro)))) {
            new Trainer(config, objective, Checkpoints.NONE, watched, () -> false).run(false);
        }
        return watched;
    }

    private static ExampleSource source(BiFunction<Integer, Integer, List<Example>> examples) {
        return new ExampleSource() {
            @Override
            public int size() {
                return 100;
            }

            @Override
            public Batch batch(int step, int micro) {
                return new Batch(examples.apply(step, micro), 0);
            }
        };
    }

    private static Example seen(String id, String answer, float[] pixels) {
        String question = "<image>\nWhat colour is this?";
        return Example.of(
                new LlavaRecord(id, List.of("image.png"), List.of(Turn.human(question), Turn.assistant(answer))),
                prompt(question, answer, 1),
                List.of(PreparedImage.of(pixels)));
    }

    private static Example read(String id, String answer) {
        String question = "Is red a colour?";
        return Example.of(
                new LlavaRecord(id, List.of(), List.of(Turn.human(question), Turn.assistant(answer))),
                prompt(question, answer, 0),
                List.of());
    }

    private static Prompt prompt(String question, String answer, int images) {
        return new PromptBuilder(tokenizer, ConversationTemplate.V1)
                .training(List.of(Turn.human(question), Turn.assistant(answer)), images, TinyRun.MAX_LENGTH);
    }

    private static float[] pixels(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] pixels = new float[3 * TinyRun.EDGE * TinyRun.EDGE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) (4 * random.nextDouble() - 2);
        }
        return pixels;
    }

    private static float[] values(Objective objective) {
        return Engine.scope(
                "parameters", () -> Tensors.toFloats(objective.parameters().values()));
    }

    private static double norm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        return Files.readAllLines(file).stream().map(JSON::readTree).toList();
    }
}
