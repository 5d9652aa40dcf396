package io.llava4j.app.verify;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.schedule.LogProbabilities;
import io.llava4j.model.ImageTokens;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.train.run.SequenceLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/** One recorded case, compared tensor by tensor with one model; only positions of real tokens are compared. */
final class ModelCase {
    private static final double FEATURES = 3e-5;
    private static final double HIDDEN = 5e-5;
    private static final double LOGITS = 1e-4;
    private static final double LOGITS_OF_ROUNDED_WEIGHTS = 0.03;
    private static final double LOSS = 1e-5;

    private final String label;
    private final Map<String, TensorEntry> expected;
    private final RecordedBatch batch;
    private final LlavaConfig config;
    private final Network network;
    private final Consumer<CaseResult> out;

    /**
     * The model that is compared.
     *
     * @param on builds it for a configuration; its weights stay open
     * @param precision it computes in
     * @param answers whether its answers are compared as well
     */
    record Network(Function<LlavaConfig, LlavaModel> on, ComputePrecision precision, boolean answers) {
        /** Operations whose results are rounded, one after the other, until the logits of the recorded models. */
        private static final int DEPTH = 117;

        /** How many standard deviations the largest error of very many elements may be. */
        private static final int DEVIATIONS = 6;

        /**
         * Largest error of an element. In fp32 it is the given one. Otherwise every operation rounds to {@code bits}
         * significant bits, with a standard deviation of 2^-bits / √3 of the number.
         */
        double tolerance(double exact, float[] wanted) {
            int bits = switch (precision) {
                case FP32 -> 0;
                case TF32 -> 11;
                case BF16 -> 8;
            };
            return bits == 0
                    ? exact
                    : DEVIATIONS
                            * Math.sqrt(DEPTH / 3.0)
                            * Math.scalb(1, -bits)
                            * Deviation.norm(wanted)
                            / Math.sqrt(wanted.length);
        }
    }

    /**
     * @param label begins the name of every result
     * @param file with the inputs and the expected tensors
     * @param config of the model; the length limit is the case's own
     * @param network the model
     * @param out receives a result per tensor
     */
    ModelCase(String label, SafeTensors file, LlavaConfig config, Network network, Consumer<CaseResult> out) {
        this.label = label;
        this.expected = file.tensors();
        this.batch = RecordedBatch.read(file, config);
        this.config = configOf(file, config);
        this.network = network;
        this.out = out;
    }

    /** @param rounded whether the weights are rounded and the expected values are not: then only logits are compared */
    void run(boolean rounded) {
        LlavaModel model = network.on().apply(config);
        try (LlamaModel languageModel = model.llama()) {
            Engine.inference(label, () -> {
                forward(model, languageModel, rounded);
                return null;
            });
            TensorEntry greedy = expected.get("greedy_ids");
            if (greedy != null && !rounded && network.answers()) {
                new GreedyCase(label, model, batch, out)
                        .compare(
                                greedy,
                                expected.get("greedy_top2_gap"),
                                expected.get("greedy_top5_ids"),
                                expected.get("greedy_top5_logprobs"));
            }
        }
    }

    private void forward(LlavaModel model, LlamaModel languageModel, boolean rounded) {
        if (!rounded && !batch.pixels().isEmpty()) {
            vision(model);
        }
        List<Tensor> states = new ArrayList<>();
        LlavaModel.Output output = model.forward(
                new ModelInput(
                        batch.ids(),
                        batch.labels(),
                        batch.pixels(),
                        batch.images().stream().mapToInt(i -> i).toArray()),
                states::add);
        LlavaModel.Spliced spliced = output.sequences();
        RealTokens real = realTokens(spliced.lengths());
        if (!Arrays.equals(real.lengths(), spliced.lengths())) {
            exact(
                    "spliced lengths",
                    false,
                    "%s, expected %s".formatted(Arrays.toString(spliced.lengths()), Arrays.toString(real.lengths())));
            return;
        }
        Tensor hidden = output.hidden();
        states.add(languageModel.finalNorm(hidden));
        if (!rounded) {
            exact("spliced lengths", true, "");
            realTokens("spliced_embeds", spliced.embeds(), real, FEATURES);
            splicedLabels(spliced.labels(), real);
            for (int i = 0; i < states.size(); i++) {
                realTokens("text_hidden_" + i, states.get(i), real, HIDDEN);
            }
            loss(languageModel, hidden, spliced.labels());
        }
        logits(languageModel.logits(hidden), real, rounded ? LOGITS_OF_ROUNDED_WEIGHTS : LOGITS);
    }

    /** From the recorded mask of the spliced sequence, which is the input's own where nothing was spliced. */
    private RealTokens realTokens(int[] lengths) {
        TensorEntry spliced = expected.get("spliced_attention_mask");
        TensorEntry mask = spliced == null ? expected.get("attention_mask") : spliced;
        int longest = Arrays.stream(lengths).max().orElse(0);
        TensorEntry logits = expected.getOrDefault("logits", expected.get("logits_logsumexp_all_positions"));
        int width = logits == null ? longest : Math.toIntExact(logits.shape()[1]);
        return RealTokens.of(mask, lengths.length, width);
    }

    private void vision(LlavaModel model) {
        Tensor pixels = model.pixels(batch.pixels());
        Tensor features = model.visionFeatures(pixels);
        whole("vision_features", features, FEATURES);
        whole("projector_output", model.projector().forward(features), FEATURES);
        merged(model);
        if (expected.containsKey("vision_hidden_0")) {
            Tensor state = model.visionTower().embed(pixels);
            whole("vision_hidden_0", state, HIDDEN);
            for (int block = 0; block < model.visionTower().blocks(); block++) {
                state = model.visionTower().forward(block, state);
                whole("vision_hidden_" + (block + 1), state, HIDDEN);
            }
        }
    }

    /** Image tokens of each placeholder's image. */
    private void merged(LlavaModel model) {
        for (int i = 0; i < batch.images().size(); i++) {
            TensorEntry wanted = expected.get("merged_features_" + i);
            if (wanted != null) {
                ImageTokens tokens = model.encode(List.of(batch.placedPixels().get(i)));
                whole("merged_features_" + i, Objects.requireNonNull(tokens.packed()), FEATURES);
            }
        }
    }

    private void whole(String name, Tensor actual, double tolerance) {
        TensorEntry wanted = expected.get(name);
        if (wanted != null) {
            float[] values = wanted.toFloats();
            within(name, Deviation.maxAbs(Tensors.toFloats(actual), values), network.tolerance(tolerance, values));
        }
    }

    private void realTokens(String name, Tensor actual, RealTokens real, double tolerance) {
        TensorEntry wanted = expected.get(name);
        if (wanted != null) {
            float[] values = wanted.toFloats();
            within(name, real.worst(Tensors.toFloats(actual), values), network.tolerance(tolerance, values));
        }
    }

    private void splicedLabels(int[][] actual, RealTokens real) {
        TensorEntry wanted = expected.get("spliced_labels");
        if (wanted == null) {
            return;
        }
        List<int[]> labels = real.pick(wanted.toLongs());
        for (int row = 0; row < actual.length; row++) {
            int[] own = Arrays.copyOf(actual[row], labels.get(row).length);
            int at = Arrays.mismatch(own, labels.get(row));
            if (at >= 0) {
                exact(
                        "spliced_labels",
                        false,
                        "sequence %d token %d: %d, expected %d".formatted(row, at, own[at], labels.get(row)[at]));
                return;
            }
        }
        exact("spliced_labels", true, "");
    }

    private void loss(LlamaModel languageModel, Tensor hidden, int[][] labels) {
        TensorEntry wanted = expected.get("loss");
        if (wanted != null) {
            double loss = SequenceLoss.of(languageModel, hidden, labels).item_double();
            within("loss", Math.abs(loss - wanted.toFloats()[0]), network.tolerance(LOSS, wanted.toFloats()));
        }
    }

    private void logits(Tensor tensor, RealTokens real, double tolerance) {
        realTokens("logits", tensor, real, tolerance);
        TensorEntry last = expected.get("logits_last_position");
        TensorEntry ids = expected.get("logits_top8_ids_all_positions");
        TensorEntry values = expected.get("logits_top8_values_all_positions");
        TensorEntry logSumExp = expected.get("logits_logsumexp_all_positions");
        if (last == null && values == null && logSumExp == null) {
            return;
        }
        float[] logits = Tensors.toFloats(tensor);
        int vocab = Math.toIntExact(tensor.size(2));
        if (last != null) {
            float[] wanted = last.toFloats();
            within(
                    "logits_last_position",
                    real.worst((ours, theirs) -> theirs % real.width() == real.width() - 1
                            ? Deviation.maxAbs(logits, ours * vocab, wanted, theirs / real.width() * vocab, vocab)
                            : 0),
                    network.tolerance(tolerance, wanted));
        }
        if (ids != null && values != null) {
            long[] top = ids.toLongs();
            float[] wanted = values.toFloats();
            int each = Math.toIntExact(ids.shape()[2]);
            within(
                    "logits_top%d".formatted(each),
                    real.worst((ours, theirs) -> {
                        double worst = 0;
                        for (int i = theirs * each; i < (theirs + 1) * each; i++) {
                            float actual = logits[ours * vocab + Math.toIntExact(top[i])];
                            worst = Math.max(worst, Math.abs((double) actual - wanted[i]));
                        }
                        return worst;
                    }),
                    network.tolerance(tolerance, wanted));
        }
        if (logSumExp != null) {
            float[] wanted = logSumExp.toFloats();
            within(
                    "logits_logsumexp",
                    real.worst((ours, theirs) ->
                            Math.abs(LogProbabilities.logSumExp(logits, ours * vocab, vocab) - wanted[theirs])),
                    network.tolerance(tolerance, wanted));
        }
    }

    private void within(String name, double error, double tolerance) {
        out.accept(CaseResult.within(TinyLlavaSuite.NAME, label + " " + name, error, tolerance));
    }

    private void exact(String name, boolean equal, String detail) {
        out.accept(CaseResult.exact(TinyLlavaSuite.NAME, label + " " + name, equal, detail));
    }

    /** The model's configuration with the case's own limit of the sequence. */
    static LlavaConfig configOf(SafeTensors file, LlavaConfig config) {
        String limit = file.metadata().getOrDefault("tokenizer_model_max_length", "none");
        return config.withMaxSequenceLength(limit.matches("[1-9][0-9]{0,8}") ? Integer.parseInt(limit) : 0);
    }
}
