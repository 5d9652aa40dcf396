package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.ChatModel;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Evaluation on held-out records while a run trains. */
class HeldOutTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final TrainingListener NOBODY = step -> {};
    private static final TaskScores NO_TASKS = new TaskScores() {
        @Override
        public Map<String, Double> of(ChatModel model) {
            return Map.of();
        }

        @Override
        public List<String> notes() {
            return List.of();
        }

        @Override
        public RunInputs inputs() {
            return RunInputs.NONE;
        }
    };
    private static final String QUESTION = "What colour is this?";

    /** Image (empty for none) and answer of each held-out record; answers differ in length, so that tokens weigh. */
    private static final String[][] RECORDS = {
        {"image-1.png", "green"},
        {"", "yes yes yes and red"},
        {"image-5.png", "a blue thing and a white thing"},
        {"image-7.png", "red"},
        {"", "black"}
    };

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
        List<Map<String, Object>> records = new ArrayList<>();
        for (String[] record : RECORDS) {
            String question = (record[0].isEmpty() ? "" : "<image>\n") + QUESTION;
            records.add(TinyRun.record("held-" + records.size(), record[0], question, record[1]));
        }
        tiny.data("held.json", records);
    }

    /** The loss at a step is the one that its checkpoint gives, computed record by record from all logits. */
    @Test
    void theLossIsThatOfTheCheckpoint() throws IOException {
        TrainConfig config = recipe("loss", Map.of("checkpoint.keep-last", "9"));
        assertThat(runUntil(config, false, 7)).isFalse();
        List<JsonNode> evaluations = evaluations(config);
        assertThat(evaluations).extracting(line -> line.path("step").asInt()).containsExactly(0, 3, 6);
        assertThat(evaluations).allSatisfy(line -> {
            assertThat(line.path("evaluation_records").asInt()).isEqualTo(RECORDS.length);
        });
        for (JsonNode line : evaluations) {
            assertThat(line.path("evaluation_loss").asDouble())
                    .isCloseTo(
                            lossOf(
                                    config,
                                    line.path("step").asInt(),
                                    line.path("evaluation_tokens").asLong()),
                            within(2e-6));
        }
    }

    @Test
    void trainingIsTheSameWithAndWithout() throws IOException {
        TrainConfig with = recipe("with", Map.of("evaluation.samples", "2", "evaluation.max-new-tokens", "4"));
        TrainConfig without = tiny.recipe("finetune", "plain", "without", Map.of());
        for (TrainConfig config : List.of(with, without)) {
            assertThat(TrainingRun.run(config, Objectives::create, false, NOBODY, () -> false))
                    .isTrue();
        }
        assertThat(lines(with, "metrics.jsonl").stream()
                        .filter(line -> line.has("loss"))
                        .toList())
                .isEqualTo(lines(without, "metrics.jsonl"));
        assertThat(weights(with.output().resolve("model")))
                .isEqualTo(weights(without.output().resolve("model")));

        List<JsonNode> samples = lines(with, "samples.jsonl");
        assertThat(samples)
                .extracting(line ->
                        line.path("step").asInt() + " " + line.path("id").asString())
                .containsExactly(
                        "0 held-0",
                        "0 held-1",
                        "3 held-0",
                        "3 held-1",
                        "6 held-0",
                        "6 held-1",
                        "9 held-0",
                        "9 held-1",
                        "10 held-0",
                        "10 held-1");
        assertThat(samples.getFirst().path("images").get(0).asString()).isEqualTo("image-1.png");
        assertThat(samples.getFirst().path("question").asString()).isEqualTo("<image>\n" + QUESTION);
        assertThat(samples.getFirst().path("expected").asString()).isEqualTo("green");
    }

    /** Stopped, or ended by an error in the middle of an evaluation: the same losses, answers and best model follow. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void resumed(boolean withLora) throws IOException {
        Map<String, String> more = new HashMap<>(
                Map.of("evaluation.keep-best", "true", "evaluation.samples", "1", "evaluation.max-new-tokens", "4"));
        if (withLora) {
            more.putAll(Map.of("lora.r", "2", "lora.dropout", "0.2"));
        }
        TrainConfig whole = recipe("whole-" + withLora, more);
        TrainConfig broken = recipe("broken-" + withLora, more);
        List<String> notes = new ArrayList<>();
        assertThat(TrainingRun.run(whole, Objectives::create, false, noting(notes), () -> false))
                .isTrue();
        assertThat(runUntil(broken, false, 4)).isFalse();
        Path image = tiny.images().resolve("image-5.png");
        byte[] bytes = Files.readAllBytes(image);
        TrainingListener thief = step -> {
            if (step.step() == 6) {
                write(image, new byte[] {1});
            }
        };
        assertThatThrownBy(() -> TrainingRun.run(broken, Objectives::create, true, thief, () -> false))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("image-5.png");
        write(image, bytes);
        assertThat(broken.output().resolve("checkpoints/step-000006")).exists();
        assertThat(TrainingRun.run(broken, Objectives::create, true, NOBODY, () -> false))
                .isTrue();

        assertThat(lines(broken, "metrics.jsonl")).isEqualTo(lines(whole, "metrics.jsonl"));
        assertThat(lines(broken, "samples.jsonl")).isEqualTo(lines(whole, "samples.jsonl"));
        List<JsonNode> evaluations = evaluations(whole);
        JsonNode best = evaluations.stream()
                .filter(line -> line.path("step").asInt() > 0)
                .min((one, other) -> Double.compare(
                        one.path("evaluation_loss").asDouble(),
                        other.path("evaluation_loss").asDouble()))
                .orElseThrow();
        String folder = "best/step-%06d".formatted(best.path("step").asInt());
        assertThat(weights(broken.output().resolve(folder)))
                .isNotEmpty()
                .isEqualTo(weights(whole.output().resolve(folder)));
        try (Stream<Path> models = Files.list(whole.output().resolve("best"))) {
            assertThat(models).hasSize(1);
        }
        assertThat(notes)
                .anySatisfy(note -> assertThat(note)
                        .startsWith("the smallest held-out loss is ")
                        .endsWith(folder));
        assertThat(JSON.readTree(whole.output().resolve("result.json").toFile()).path("best_step"))
                .isEqualTo(best.path("step"));
    }

    /** 1.99 is the smallest, but no improvement on 2 by the 0.05 that count: three without one end the run after step 5. */
    @Test
    void earlyStop() throws IOException {
        TrainConfig config = recipe(
                "early",
                Map.of(
                        "evaluation.every-steps", "1",
                        "evaluation.keep-best", "true",
                        "evaluation.early-stop.patience", "3",
                        "evaluation.early-stop.min-delta", "0.05"));
        double[] losses = {1, 3, 2, 2.5, 1.99, 2.2, 1, 1};
        assertThat(TrainingRun.run(config, recipe -> scripted(recipe, losses), false, NOBODY, () -> false))
                .isTrue();
        assertThat(evaluations(config))
                .extracting(line -> line.path("evaluation_loss").asDouble())
                .containsExactly(1.0, 3.0, 2.0, 2.5, 1.99, 2.2);
        assertThat(config.output().resolve("best/step-000004")).exists();
        assertThat(config.output().resolve("model")).exists();
        assertThat(JSON.readTree(config.output().resolve("result.json").toFile())
                        .path("steps")
                        .asInt())
                .isEqualTo(5);
    }

    /** More of a score is better. 41.4 is the highest, but no improvement on 41 by the 0.5 that count. */
    @Test
    void bestModelAndEarlyStopByAScore() throws IOException {
        TrainConfig config = recipe(
                "by-score",
                Map.of(
                        "evaluation.every-steps", "1",
                        "evaluation.keep-best", "true",
                        "evaluation.tasks", "[pope, gqa]",
                        "evaluation.task-data", "anywhere",
                        "evaluation.best-by", "gqa",
                        "evaluation.early-stop.patience", "2",
                        "evaluation.early-stop.min-delta", "0.5"));
        List<Double> scores = List.of(99.0, 40.0, 41.0, 40.9, 41.4, 50.0);
        List<String> notes = new ArrayList<>();
        assertThat(TrainingRun.run(
                        config,
                        recipe -> scripted(recipe, new double[] {9, 8, 7, 6, 5, 4}, scores),
                        false,
                        noting(notes),
                        () -> false))
                .isTrue();
        assertThat(evaluations(config))
                .extracting(
                        line -> line.path("evaluation_scores").path("gqa").asDouble(),
                        line -> line.path("best").asBoolean())
                .containsExactly(
                        tuple(99.0, false),
                        tuple(40.0, true),
                        tuple(41.0, true),
                        tuple(40.9, false),
                        tuple(41.4, true));
        assertThat(notes)
                .contains("the highest score of gqa is 41.40, after step 4; its model is "
                        + config.output().resolve("best/step-000004"));
        JsonNode result = JSON.readTree(config.output().resolve("result.json").toFile());
        assertThat(result.path("steps").asInt()).isEqualTo(4);
        assertThat(result.path("best_step").asInt()).isEqualTo(4);
        assertThat(result.path("best_evaluation_scores").toString()).isEqualTo("{\"gqa\":41.4}");
        assertThat(result.has("best_evaluation_loss")).isFalse();
    }

    @Test
    void theDataIsCheckedBeforeTheFirstStep() {
        TrainConfig missing = recipe("missing", Map.of("evaluation.data", "nowhere.json"));
        assertThatThrownBy(() -> DryRun.run(missing, Objectives::create, note -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("nowhere.json");
        List<String> notes = new ArrayList<>();
        DryRun.run(recipe("dry", Map.of()), Objectives::create, notes::add);
        assertThat(notes).anySatisfy(note -> assertThat(note).startsWith("held-out loss of the first batch "));
    }

    private static TrainConfig recipe(String name, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(
                Map.of("evaluation.data", root.resolve("held.json").toString(), "evaluation.every-steps", "3"));
        settings.putAll(more);
        return tiny.recipe("finetune", "plain", name, settings);
    }

    private static boolean runUntil(TrainConfig config, boolean resume, int stop) {
        int[] last = {0};
        return TrainingRun.run(
                config, Objectives::create, resume, step -> last[0] = step.step(), () -> last[0] == stop);
    }

    private static double lossOf(TrainConfig config, int step, long tokens) {
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(tiny.language());
        PromptBuilder prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        try (LlavaModel model = Objectives.start(config).model()) {
            if (step > 0) {
                Path state = config.output().resolve("checkpoints/step-%06d/state.safetensors".formatted(step));
                try (SafeTensors file = SafeTensors.open(state)) {
                    Engine.inference("restoring", () -> {
                        file.tensors().forEach((name, entry) -> {
                            if (!name.startsWith("optimizer.")) {
                                model.weights().get(name).copy_(Tensors.of(entry.toFloats(), entry.shape()));
                            }
                        });
                        return null;
                    });
                }
            }
            ImageProcessor images =
                    model.config().vision().imageProcessor(model.config().aspectMode());
            double sum = 0;
            long count = 0;
            for (String[] record : RECORDS) {
                boolean image = !record[0].isEmpty();
                Prompt prompt = prompts.training(
                        List.of(Turn.human((image ? "<image>\n" : "") + QUESTION), Turn.assistant(record[1])),
                        image ? 1 : 0,
                        TinyRun.MAX_LENGTH);
                List<PreparedImage> pixels = image
                        ? List.of(PreparedImage.of(
                                images.process(ImageDecoder.decode(tiny.images().resolve(record[0])))))
                        : List.of();
                int supervised = (int) Arrays.stream(prompt.labels())
                        .filter(label -> label != Prompt.IGNORE_INDEX)
                        .count();
                sum += supervised
                        * Engine.inference("a record", () -> {
                            LlavaModel.Output output = model.forward(
                                    ModelInput.of(List.of(prompt.ids()), List.of(prompt.labels()), pixels));
                            return SequenceLoss.ofAllLogits(
                                            model.llama(),
                                            output.hidden(),
                                            output.sequences().labels())
                                    .item_double();
                        });
                count += supervised;
            }
            assertThat(count).isEqualTo(tokens);
            return sum / count;
        }
    }

    /** The recipe's objective, whose held-out losses are given. */
    private static Objective scripted(TrainConfig config, double[] losses) {
        return scripted(config, losses, List.of());
    }

    /** The recipe's objective, whose held-out losses and scores of gqa are given. */
    private static Objective scripted(TrainConfig config, double[] losses, List<Double> scores) {
        Objective real = Objectives.create(config, NO_TASKS);
        int[] next = {0};
        HeldOut heldOut = new HeldOut() {
            @Override
            public Config config() {
                return java.util.Objects.requireNonNull(config.evaluation());
            }

            @Override
            public Loss loss(int maxBatches) {
                return new Loss(losses[next[0]++], 1, 1);
            }

            @Override
            public Map<String, Double> scores() {
                return scores.isEmpty() ? Map.of() : Map.of("pope", 0.0, "gqa", scores.get(next[0] - 1));
            }

            @Override
            public List<Answer> answers() {
                return List.of();
            }

            @Override
            public List<String> notes() {
                return List.of();
            }

            @Override
            public RunInputs inputs() {
                return RunInputs.NONE;
            }

            @Override
            public void close() {}
        };
        return new Objective() {
            @Override
            public int stepsPerEpoch() {
                return real.stepsPerEpoch();
            }

            @Override
            public TrainableParameters parameters() {
                return real.parameters();
            }

            @Override
            public @Nullable Supplier<Loss> microBatch(int step, int micro, int of) {
                return real.microBatch(step, micro, of);
            }

            @Override
            public List<SkippedRecord> skipped() {
                return real.skipped();
            }

            @Override
            public HeldOut heldOut() {
                return heldOut;
            }

            @Override
            public void save(Path directory) {
                real.save(directory);
            }

            @Override
            public void close() {
                real.close();
            }
        };
    }

    private static TrainingListener noting(List<String> notes) {
        return new TrainingListener() {
            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }

            @Override
            public void step(Step step) {}
        };
    }

    private static List<JsonNode> evaluations(TrainConfig config) throws IOException {
        return lines(config, "metrics.jsonl").stream()
                .filter(line -> line.has("evaluation_loss"))
                .toList();
    }

    private static List<JsonNode> lines(TrainConfig config, String file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String text : Files.readAllLines(config.output().resolve(file))) {
            ObjectNode line = (ObjectNode) JSON.readTree(text);
            line.remove(List.of("seconds", "tokens_per_second", "tflops"));
            line.remove("time");
            lines.add(line);
        }
        return lines;
    }

    private static Map<String, List<Byte>> weights(Path folder) throws IOException {
        Map<String, List<Byte>> weights = new HashMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors")
                            || path.toString().endsWith(".bin"))
                    .toList()) {
                List<Byte> bytes = new ArrayList<>();
                for (byte value : Files.readAllBytes(file)) {
                    bytes.add(value);
                }
                weights.put(file.getFileName().toString(), bytes);
            }
        }
        return weights;
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
