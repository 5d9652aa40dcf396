package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Scaled dot-product attention in the shapes that both transformers use. */
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
     * @param causal whether query i sees keys 0 … i only; without a mask
     */
    static Tensor attend(Tensor q, Tensor k, Tensor v, @Nullable Tensor mask, boolean causal) {
        return torch.scaled_dot_product_attention(
                q, forHeads(k, q), forHeads(v, q), Tensors.optional(mask), 0.0, causal, new DoubleOptional(), false);
    }

    /**
     * Causal attention of sequences that follow each other; none sees another.
     *
     * @param lengths of the sequences
     * @param q {@code [1, heads, sum of lengths, d]}; k and v {@code [1, kvHeads, sum of lengths, d]}
     * @return {@code [1, heads, sum of lengths, d]}
     */
    static Tensor attendWithin(int[] lengths, Tensor q, Tensor k, Tensor v) {
        long[] sizes = Arrays.stream(lengths).asLongStream().toArray();
        TensorVector queries = q.split_with_sizes(sizes, 2);
        TensorVector keys = k.split_with_sizes(sizes, 2);
        TensorVector values = v.split_with_sizes(sizes, 2);
        Tensor[] parts = new Tensor[lengths.length];
        Arrays.setAll(parts, i -> attend(queries.get(i), keys.get(i), values.get(i), null, true));
        return Tensors.cat(2, parts);
    }

    /** Repeats key or value heads, so that there is one for each query head. */
    private static Tensor forHeads(Tensor x, Tensor q) {
        long groups = q.size(1) / x.size(1);
        return groups == 1 ? x : x.repeat_interleave(groups, new LongOptional(1), new LongOptional());
    }

    /**
     * Attention to some of the keys, which can be merged with attention to the others.
     *
     * @param values softmax over these keys, times their values: {@code [batch, heads, queries, d]}
     * @param logSumExp of the scores of these keys: {@code [batch, heads, queries, 1]}
     */
    record PartialAttention(Tensor values, Tensor logSumExp) {
        /** As {@link #attend} without causality; every query must see at least one key. */
        static PartialAttention of(Tensor q, Tensor k, Tensor v, @Nullable Tensor mask) {
            Tensor scaled = q.mul(Tensors.scalar(1 / Math.sqrt(q.size(3))));
            Tensor scores = scaled.matmul(forHeads(k, q).transpose(2, 3));
            if (mask != null) {
                scores.add_(mask);
            }
            Tensor logSumExp = scores.logsumexp(new long[] {-1}, true);
            return new PartialAttention(scores.sub_(logSumExp).exp_().matmul(forHeads(v, q)), logSumExp);
        }

        /** {@link #values} of attention to both sets of keys. */
        Tensor merge(PartialAttention other) {
            Tensor weight = logSumExp.sub(other.logSumExp).sigmoid_();
            return torch.lerp(other.values, values, weight);
        }
    }
}
