package io.llava4j.model.config;

import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The tensors of a TokenPacker before its MLP (docs/reference/model.md#tokenpacker), by the names of its official code. Its
 * attention keeps the weights of queries, keys and values in one matrix, as PyTorch's {@code MultiheadAttention} does.
 *
 * @param width of everything in it, which is that of the vision tower
 */
public record TokenPackerParameters(
        long width,
        Linear query,
        List<Linear> key,
        List<Linear> value,
        Norm queryNorm,
        Norm keyNorm,
        Norm valueNorm,
        Single attentionWeight,
        Single attentionBias,
        Linear attentionOut)
        implements Parameters {
    /** Epsilon of its LayerNorms. */
    public static final double EPSILON = 1e-6;

    /** Hidden states of the tower that keys and values are made of. */
    static final int LEVELS = 4;

    /** Prefix of its MLP's linear layers. */
    static final String MLP = ProjectorType.PREFIX + "mlp.";

    private static final long HEAD_SIZE = 128;
    private static final Set<String> NAMES = of(1).shapes().keySet();

    /** The tensors for a tower of that width. */
    public static TokenPackerParameters of(long width) {
        String prefix = ProjectorType.PREFIX;
        return new TokenPackerParameters(
                width,
                new Linear(prefix + "q_proj_1.", width, width, false),
                mlp(prefix + "k_proj_1.", width),
                mlp(prefix + "v_proj_1.", width),
                new Norm(prefix + "ln_q_1.", width, true),
                new Norm(prefix + "ln_k_1.", width, true),
                new Norm(prefix + "ln_v_1.", width, true),
                new Single(prefix + "clip_attn.in_proj_weight", 3 * width, width),
                new Single(prefix + "clip_attn.in_proj_bias", 3 * width),
                new Linear(prefix + "clip_attn.out_proj.", width, width, true));
    }

    private static List<Linear> mlp(String prefix, long width) {
        return List.of(
                new Linear(prefix + "0.", width, LEVELS * width, true), new Linear(prefix + "2.", width, width, true));
    }

    /** Whether a canonical name is that of a TokenPacker's tensor, its MLP included. */
    public static boolean contains(String name) {
        return NAMES.contains(name) || name.startsWith(MLP);
    }

    /** Attention's heads: of 128 each or, where the width is no multiple of that, of a little more. */
    public int heads() {
        long heads = Math.max(1, width / HEAD_SIZE);
        while (width % heads != 0) {
            heads--;
        }
        return Math.toIntExact(heads);
    }

    /** Products of weights and inputs for a view of an image with so many patches and tokens. */
    double products(double patches, double tokens) {
        double square = (double) width * width;
        double perPatch = 2 * (LEVELS + 1) * square + 2 * square;
        double perToken = 3 * square;
        return patches * perPatch + tokens * perToken;
    }

    @Override
    public void addTo(SequencedMap<String, long[]> shapes) {
        query.addTo(shapes);
        key.forEach(layer -> layer.addTo(shapes));
        value.forEach(layer -> layer.addTo(shapes));
        List.of(queryNorm, keyNorm, valueNorm, attentionWeight, attentionBias, attentionOut)
                .forEach(part -> part.addTo(shapes));
    }
}
