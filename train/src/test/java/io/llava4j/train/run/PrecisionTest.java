package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.format.DType;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Training in bf16 against training in 32-bit floats.
 *
 * <p>The bound on gradients: rounding to bf16 (8 significant bits) changes a number by a relative error between -u and u,
 * u = 2^-8, which is spread evenly enough that its standard deviation is at most u / sqrt(3). A gradient is the end of a
 * chain of operations, forward and backward, each of which rounds its result once; between them errors neither grow nor
 * shrink by much, as norms and residual connections keep the size of activations, and errors of different operations are
 * independent. After k roundings the relative error of the gradient, measured over the whole tensor, is thus about
 * u / sqrt(3) * sqrt(k). The longest chain in a model of two blocks goes through the projector (4 roundings), two blocks
 * (16 each), norm and head (3), and back through the same, where every operation has two products: k = 3 * 39 = 117 and the
 * error is at most 0.024 for any tensor. Over all tensors it is less than half of that: the residual connections carry most
 * of a gradient past the blocks, in chains of a quarter of the length.
 */
class PrecisionTest {
    private static final double UNIT = 1.0 / 256;
    private static final double BOUND = UNIT / Math.sqrt(3) * Math.sqrt(117);

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    private static final class Course implements TrainingListener {
        private final List<Double> losses = new ArrayList<>();
        private final Map<String, float[]> first = new LinkedHashMap<>();

        @Override
        public void gradients(TrainableParameters parameters) {
            if (first.isEmpty()) {
                parameters.leaves().forEach((name, leaf) -> first.put(name, Tensors.toFloats(leaf.grad())));
            }
        }

        @Override
        public void step(Step step) {
            losses.add(step.loss());
        }
    }

    private static Map<String, String> settings(String precision, String... more) {
        Map<String, String> all = new LinkedHashMap<>(Map.of("engine.precision", precision));
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private static Course run(String name, Map<String, String> settings) {
        TrainConfig config = tiny.recipe("finetune", "plain", name, settings);
        Course course = new Course();
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, course, () -> false).run(false);
        }
        return course;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsDifferByRoundingOnly(boolean checkpointing) {
        String[] one = {"schedule.max-steps", "1", "batch.per-device", "8", "gradient-checkpointing", "" + checkpointing
        };
        Map<String, float[]> exact = run("exact-" + checkpointing, settings("fp32", one)).first;
        Map<String, float[]> rounded = run("rounded-" + checkpointing, settings("bf16", one)).first;
        assertThat(rounded.keySet()).isEqualTo(exact.keySet());
        double error = 0;
        double size = 0;
        for (Map.Entry<String, float[]> tensor : exact.entrySet()) {
            float[] wanted = tensor.getValue();
            float[] found = Objects.requireNonNull(rounded.get(tensor.getKey()));
            double own = 0;
            double ownSize = 0;
            for (int i = 0; i < wanted.length; i++) {
                own += Math.pow(wanted[i] - found[i], 2);
                ownSize += Math.pow(wanted[i], 2);
            }
            assertThat(Math.sqrt(own / ownSize)).as(tensor.getKey()).isLessThan(BOUND);
            error += own;
            size += ownSize;
        }
        assertThat(Math.sqrt(error / size)).isLessThan(BOUND / 2).isPositive();
    }

    @Test
    void gradientsOfMicroBatchesAreSummedIn32Bits() {
        TrainConfig config = tiny.recipe("finetune", "plain", "sum", settings("bf16"));
        try (Objective objective = Objectives.create(config);
                MicroBatches batches = new MicroBatches(objective, config.batch(), 1)) {
            Engine.scope("two micro-batches", () -> {
                objective.parameters().zeroGradients();
                batches.run(0);
                float[] sum = Tensors.toFloats(objective.parameters().gradients());
                float[] rounded =
                        Tensors.toFloats(objective.parameters().gradients().to(torch.ScalarType.BFloat16));
                int needMoreBits = 0;
                for (int i = 0; i < sum.length; i++) {
                    needMoreBits += sum[i] == rounded[i] ? 0 : 1;
                }
                // Each of the two gradients fits in 16 bits; the sum of two numbers of unlike size does not.
                assertThat(needMoreBits).isGreaterThan(sum.length / 4);
                return null;
            });
        }
    }

    /** A step of 1e-5 is too small for 8 bits of mantissa; the 32-bit copy keeps it. */
    @Test
    void stepsTooSmallFor16BitsAddUp() {
        TrainConfig config = tiny.recipe(
                "finetune",
                "plain",
                "small",
                settings("bf16", "optimizer.learning-rate", "1e-5", "schedule.max-steps", "4"));
        try (Objective objective = Objectives.create(config)) {
            TrainableParameters parameters = objective.parameters();
            float[] before = Tensors.toFloats(parameters.values());
            float[] readBefore = read(parameters);
            new Trainer(config, objective, Checkpoints.NONE, step -> {}, () -> false).run(false);
            float[] after = Tensors.toFloats(parameters.values());
            float[] read = read(parameters);
            int moved = 0;
            int readMoved = 0;
            for (int i = 0; i < before.length; i++) {
                moved += before[i] != after[i] ? 1 : 0;
                readMoved += read[i] != readBefore[i] ? 1 : 0;
            }
            assertThat(moved).isGreaterThan(before.length / 2);
            assertThat(readMoved).isLessThan(moved / 4);
            float[] rounded = Engine.scope(
                    "rounding", () -> Tensors.toFloats(parameters.values().to(torch.ScalarType.BFloat16)));
            assertThat(read).containsExactly(rounded);
        }
    }

    /** The noise is what other data do to the loss of a step: the standard deviation around the mean of 30 steps. */
    @Test
    void threeHundredStepsHaveTheSameLosses() {
        String[] long300 = {"schedule.max-steps", "300", "optimizer.learning-rate", "0.003"};
        List<Double> exact = run("exact-300", settings("fp32", long300)).losses;
        List<Double> rounded = run("rounded-300", settings("bf16", long300)).losses;
        assertThat(exact.getFirst()).isGreaterThan(4 * mean(exact, 270));
        for (int from = 0; from < 300; from += 30) {
            double noise = deviation(exact, from) / Math.sqrt(30);
            assertThat(Math.abs(mean(exact, from) - mean(rounded, from)))
                    .as("steps %d to %d", from, from + 30)
                    .isLessThan(3 * noise);
        }
    }

    private static double mean(List<Double> losses, int from) {
        return losses.subList(from, from + 30).stream()
                .mapToDouble(loss -> loss)
                .average()
                .orElseThrow();
    }

    private static double deviation(List<Double> losses, int from) {
        double mean = mean(losses, from);
        return Math.sqrt(losses.subList(from, from + 30).stream()
                .mapToDouble(loss -> (loss - mean) * (loss - mean))
                .average()
                .orElseThrow());
    }

    @Test
    void frozenWeightsAreStoredIn16BitsAndTheModelIsWrittenInThem() {
        TrainConfig config = tiny.recipe("finetune", "plain", "stored", settings("bf16", "schedule.max-steps", "2"));
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
        try (Checkpoint written = Checkpoint.open(config.output().resolve("model"))) {
            assertThat(written.tensors().values()).allMatch(entry -> entry.dtype() == DType.BF16);
        }
        try (var start = Objectives.start(config).model()) {
            assertThat(start.weights().names())
                    .allMatch(name -> Tensors.precision(start.weights().get(name)) == ComputePrecision.BF16);
        }
    }

    @Test
    void heldOutLossAndAnswersComeFromTheNetworkIn16Bits() {
        String data = root.resolve("finetune.json").toString();
        String[] more = {"schedule.max-steps", "2", "evaluation.data", data, "evaluation.samples", "3"};
        List<TrainingListener.Evaluation> exact = evaluations("held-exact", settings("fp32", more));
        List<TrainingListener.Evaluation> rounded = evaluations("held-rounded", settings("bf16", more));
        assertThat(rounded).hasSameSizeAs(exact).isNotEmpty();
        for (int i = 0; i < exact.size(); i++) {
            assertThat(rounded.get(i).loss().value())
                    .isCloseTo(exact.get(i).loss().value(), within(0.02))
                    .isNotEqualTo(exact.get(i).loss().value());
            assertThat(rounded.get(i).answers()).hasSize(3);
        }
    }

    private static List<TrainingListener.Evaluation> evaluations(String name, Map<String, String> settings) {
        TrainConfig config = tiny.recipe("finetune", "plain", name, settings);
        List<TrainingListener.Evaluation> all = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void step(Step step) {}

            @Override
            public void evaluation(Evaluation evaluation) {
                all.add(evaluation);
            }
        };
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, listener, () -> false).run(false);
        }
        return all;
    }

    @Test
    void aStoppedRunGoesOnBitForBit() {
        Map<String, String> six = settings("bf16", "schedule.max-steps", "6");
        TrainConfig whole = tiny.recipe("finetune", "plain", "whole", six);
        TrainConfig stopped = tiny.recipe("finetune", "plain", "stopped", six);
        TrainingRun.run(whole, Objectives::create, false, step -> {}, () -> false);
        int[] steps = {0};
        assertThat(TrainingRun.run(stopped, Objectives::create, false, step -> steps[0]++, () -> steps[0] == 4))
                .isFalse();
        assertThat(TrainingRun.run(stopped, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        assertThat(stopped.output().resolve("model/model.safetensors"))
                .hasSameBinaryContentAs(whole.output().resolve("model/model.safetensors"));
    }

    /** What the network reads, in the order of the parameters. */
    private static float[] read(TrainableParameters parameters) {
        return Engine.scope(
                "the compute copy",
                () -> Tensors.toFloats(Tensors.cat(
                        0,
                        parameters.leaves().values().stream()
                                .map(leaf -> leaf.detach().reshape(leaf.numel()))
                                .toArray(Tensor[]::new))));
    }
}
