package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Scaled dot-product attention in the shapes both transformers use. */
final class Attention {
    private Attention() {}

    /** {@code [batch, tokens, heads * d] -> [batch, heads, tokens, d]}. */
    static Tensor splitHeads(Tensor x, int heads) {
        long d = x.size(2) / heads;
        return x.view(x.size(0), x.size(1), heads, d).transpose(1, 2);
    }

    /** {@code [batch, heads, tokens, d] -> [batch, tokens, heads * d]}. */
    static Tensor mergeHeads(Tensor x) {
        return x.transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1) * x.size(3));
    }

    /**
     * Softmax(q k^T / sqrt(d)) v.
     *
     * @param q {@code [batch, heads, queries, d]}
     * @param k {@code [batch, kvHeads, keys, d]}
     * @param v {@code [batch, kvHeads, keys, d]}
     * @param mask added to the scores, {@code [batch, 1, queries, keys]}, or null for none
     * @param causal whether query i sees keys 0..i only (used with no mask)
     */
    static Tensor attend(Tensor q, Tensor k, Tensor v, @Nullable Tensor mask, boolean causal) {
        long groups = q.size(1) / k.size(1);
        Tensor keys = groups == 1 ? k : k.repeat_interleave(groups, new LongOptional(1), new LongOptional());
        Tensor values = groups == 1 ? v : v.repeat_interleave(groups, new LongOptional(1), new LongOptional());
        return torch.scaled_dot_product_attention(
                q, keys, values, Tensors.optional(mask), 0.0, causal, new DoubleOptional(), false);
    }
}
