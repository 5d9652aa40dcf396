package io.llava4j.app.bench;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.Initializer;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.Prompt;
import io.llava4j.train.run.AdamW;
import io.llava4j.train.run.SequenceLoss;
import io.llava4j.train.run.TrainableParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;

/**
 * One optimiser step of a small LLaVA on random data: language model 256 x 6 layers (8 heads, SwiGLU 688, vocabulary 4096,
 * untied), tower 192 x 6 at 112 px / patch 14, mlp2x_gelu; 16 sequences of 64 image and 192 text tokens; AdamW, clipping
 * at 1.0, 32-bit floats. 9.75 M parameters.
 */
final class TrainStepBench {
    private static final int BATCH = 16;
    private static final int IMAGE_TOKENS = 64;
    private static final int TEXT_TOKENS = 192;
    private static final int VOCABULARY = 4096;

    /** What is trained. */
    enum Mode {
        STAGE1,
        STAGE2
    }

    /**
     * A measurement.
     *
     * @param seconds per step, ascending
     * @param tokens per step
     * @param flops of the language model's matrix products, LM head included, in a step
     */
    record Result(double[] seconds, long tokens, double flops) {
        double best() {
            return seconds[0];
        }

        double median() {
            return seconds[seconds.length / 2];
        }
    }

    private TrainStepBench() {}

    /**
     * Runs steps.
     *
     * @param mode what is trained
     * @param supervised share of the text positions that have a label
     * @param allLogits whether the head runs on every position, as a framework without the shortcut does
     * @param steps measured steps; one more warms up
     */
    static Result run(Mode mode, double supervised, boolean allLogits, int steps) {
        TextConfig text = new TextConfig(256, 688, 6, 8, 8, VOCABULARY, 512, 1e-5, 10000, false, 1, 2, 0);
        VisionConfig vision = new VisionConfig(192, 768, 6, 6, 112, 14, 1e-5, "quick_gelu", List.of());
        LlavaConfig config = new LlavaConfig(vision, text, "mlp2x_gelu", -1, false, AspectMode.PAD, -1, 0);
        Weights weights = new Weights();
        Initializer initializer = new Initializer(1);
        ExpectedTensors.of(new ModelKind.Llava(config))
                .shapes()
                .forEach((name, shape) -> initializer.fill(weights, name, shape));
        AdamW.Config spec = AdamW.Config.of(1e-3);
        TrainableParameters parameters = new TrainableParameters(
                weights,
                name -> name.startsWith("model.mm_projector.")
                        || (mode == Mode.STAGE2 && !name.startsWith("model.vision_tower.")));
        double[] seconds = new double[steps];
        try (LlavaModel model = new LlavaModel(config, weights);
                AdamW optimizer = Engine.scope("AdamW", () -> new AdamW(parameters, spec))) {
            for (int step = -1; step < steps; step++) {
                int seed = step;
                long start = System.nanoTime();
                Engine.scope("a training step", () -> {
                    step(model, parameters, optimizer, supervised, allLogits, seed);
                    return null;
                });
                if (step >= 0) {
                    seconds[step] = (System.nanoTime() - start) / 1e9;
                }
            }
        }
        parameters.close();
        Arrays.sort(seconds);
        long tokens = (long) BATCH * (IMAGE_TOKENS + TEXT_TOKENS);
        long layers = 6L * (4L * 256 * 256 + 3L * 256 * 688);
        // Stage 1 needs no weight gradients of the language model: 4 instead of 6 operations per weight and token.
        double perWeight = mode == Mode.STAGE2 ? 6 : 4;
        return new Result(seconds, tokens, perWeight * tokens * (layers + (double) VOCABULARY * 256));
    }

    private static void step(
            LlavaModel model,
            TrainableParameters parameters,
            AdamW optimizer,
            double supervised,
            boolean allLogits,
            int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<PreparedImage> images = new ArrayList<>();
        for (int image = 0; image < BATCH; image++) {
            float[] pixels = new float[3 * 112 * 112];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextGaussian();
            }
            images.add(PreparedImage.of(pixels));
        }
        List<int[]> ids = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        for (int row = 0; row < BATCH; row++) {
            int[] rowIds = new int[TEXT_TOKENS + 1];
            int[] rowLabels = new int[TEXT_TOKENS + 1];
            Arrays.fill(rowLabels, Prompt.IGNORE_INDEX);
            rowIds[0] = Prompt.IMAGE_TOKEN_INDEX;
            for (int t = 1; t <= TEXT_TOKENS; t++) {
                rowIds[t] = random.nextInt(VOCABULARY);
                if (random.nextDouble() < supervised) {
                    rowLabels[t] = rowIds[t];
                }
            }
            ids.add(rowIds);
            labels.add(rowLabels);
        }
        parameters.zeroGradients();
        LlavaModel.Output output = model.forward(ModelInput.of(ids, labels, images));
        int[][] spliced = output.sequences().labels();
        Tensor loss = allLogits
                ? SequenceLoss.ofAllLogits(model.llama(), output.hidden(), spliced)
                : SequenceLoss.of(model.llama(), output.hidden(), spliced);
        loss.backward();
        loss.item_double();
        parameters.clipGradients(1.0);
        optimizer.step(1e-3);
    }

    /** Rate of a large 32-bit matrix product in this process: the practical peak to compare with. */
    static double gemmGflops() {
        int n = 1024;
        double best = Double.MAX_VALUE;
        for (int i = 0; i < 8; i++) {
            best = Math.min(best, Engine.inference("a matrix product", () -> {
                Tensor a = Tensors.of(new float[n * n], n, n);
                Tensor b = Tensors.of(new float[n * n], n, n);
                long start = System.nanoTime();
                a.matmul(b);
                return (System.nanoTime() - start) / 1e9;
            }));
        }
        return 2.0 * n * n * n / best / 1e9;
    }
}
