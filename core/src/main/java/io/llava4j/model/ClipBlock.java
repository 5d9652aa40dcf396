package io.llava4j.model;

import io.llava4j.ConfigException;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** One block of CLIP's transformers: x += attention(LN1 x); x += fc2(act(fc1(LN2 x))). */
public final class ClipBlock {
    private final LayerNorm norm1;
    private final LayerNorm norm2;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear out;
    private final Linear fc1;
    private final Linear fc2;
    private final int heads;
    private final boolean quick;
    private final boolean causal;

    /**
     * Reads the block's tensors.
     *
     * @param heads attention heads
     * @param eps of both LayerNorms
     * @param activation {@code quick_gelu} or {@code gelu}
     * @param causal whether a token attends to itself and earlier ones only, as in CLIP's text tower
     * @throws ConfigException if the activation is unknown
     */
    public ClipBlock(
            Weights weights, ClipParameters.Block names, int heads, double eps, String activation, boolean causal) {
        this.norm1 = new LayerNorm(weights, names.norm1(), eps);
        this.norm2 = new LayerNorm(weights, names.norm2(), eps);
        this.query = new Linear(weights, names.query().prefix());
        this.key = new Linear(weights, names.key().prefix());
        this.value = new Linear(weights, names.value().prefix());
        this.out = new Linear(weights, names.out().prefix());
        this.fc1 = new Linear(weights, names.fc1().prefix());
        this.fc2 = new Linear(weights, names.fc2().prefix());
        this.heads = heads;
        this.causal = causal;
        this.quick = switch (activation) {
            case "quick_gelu" -> true;
            case "gelu" -> false;
            default ->
                throw new ConfigException(
                        "activation '" + activation + "' of a CLIP tower is unknown; use quick_gelu or gelu");
        };
    }

    /** {@code [batch, tokens, hidden] -> [batch, tokens, hidden]}. */
    public Tensor forward(Tensor x) {
        Tensor h = norm1.forward(x);
        Tensor attention = Attention.attend(
                Attention.splitHeads(query.forward(h), heads),
                Attention.splitHeads(key.forward(h), heads),
                Attention.splitHeads(value.forward(h), heads),
                null,
                causal);
        Tensor y = x.add(out.forward(Attention.mergeHeads(attention)));
        return y.add(fc2.forward(activate(fc1.forward(norm2.forward(y)))));
    }

    /**
     * What VisionZip chooses by.
     *
     * @param weights of CLS for each position, summed over the heads, {@code [images, positions]}
     * @param keys as a mean over the heads, {@code [images, positions, d]}
     */
    record ClsAttention(Tensor weights, Tensor keys) {
        VisionZip ofImage(int image, int tokens) {
            float[] rows = Tensors.toFloats(keys.select(0, image));
            int d = Math.toIntExact(keys.size(2));
            float[][] each = new float[rows.length / d][];
            Arrays.setAll(each, i -> Arrays.copyOfRange(rows, i * d, (i + 1) * d));
            return VisionZip.of(Tensors.toFloats(weights.select(0, image)), each, tokens);
        }
    }

    /** Attention of CLS, the first position, to all others: {@code [images, positions, hidden]}. */
    ClsAttention clsAttention(Tensor x) {
        Tensor h = norm1.forward(x);
        Tensor cls = Attention.splitHeads(query.forward(h.narrow(1, 0, 1)), heads);
        Tensor keys = Attention.splitHeads(key.forward(h), heads);
        Tensor scores = cls.mul(Tensors.scalar(1 / Math.sqrt(keys.size(3)))).matmul(keys.transpose(2, 3));
        return new ClsAttention(scores.softmax(-1).sum(1).select(1, 0), keys.mean(1));
    }

    private Tensor activate(Tensor x) {
        // quick_gelu: x * sigmoid(1.702 x)
        return quick ? x.mul(x.mul(Tensors.scalar(1.702)).sigmoid()) : torch.gelu(x);
    }
}
