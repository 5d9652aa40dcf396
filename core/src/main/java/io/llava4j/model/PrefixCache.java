package io.llava4j.model;

import io.llava4j.model.Attention.PartialAttention;
import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Prefixes that the sequences of a batch continue, such as a prompt up to the question about an image. Their keys and
 * values are kept once, and attention reads them once: it takes all queries of the sequences that share one together.
 */
final class PrefixCache {
    private final KvCache cache;
    private int[] prefixOf;

    /**
     * @param cache one sequence for each prefix
     * @param prefixOf for each sequence of the batch, the index of its prefix
     */
    PrefixCache(KvCache cache, int[] prefixOf) {
        this.cache = cache;
        this.prefixOf = prefixOf;
    }

    /** Tokens of a sequence's prefix. */
    int length(int sequence) {
        return cache.length(prefixOf[sequence]);
    }

    /** Keeps only these sequences, in this order. */
    void keep(int[] kept) {
        prefixOf = Arrays.stream(kept).map(sequence -> prefixOf[sequence]).toArray();
    }

    /**
     * Attention of each sequence to its prefix.
     *
     * @param q {@code [batch, heads, tokens, headDim]}
     */
    PartialAttention attend(int layer, Tensor q) {
        long heads = q.size(1);
        long tokens = q.size(2);
        long headDim = q.size(3);
        int prefixes = cache.batch();
        int[] counts = new int[prefixes];
        for (int prefix : prefixOf) {
            counts[prefix]++;
        }
        // Every prefix has as many groups of queries as the most shared one. Its sequences fill the first of them; the
        // others repeat sequence 0, and their attention is dropped.
        int groups = Arrays.stream(counts).max().orElse(0);
        int[] sequenceIn = new int[prefixes * groups];
        int[] groupOf = new int[prefixOf.length];
        Arrays.fill(counts, 0);
        for (int sequence = 0; sequence < prefixOf.length; sequence++) {
            int prefix = prefixOf[sequence];
            groupOf[sequence] = prefix * groups + counts[prefix]++;
            sequenceIn[groupOf[sequence]] = sequence;
        }
        Tensor grouped = pick(q, sequenceIn)
                .reshape(prefixes, groups, heads, tokens, headDim)
                .transpose(1, 2)
                .reshape(prefixes, heads, groups * tokens, headDim);
        int span = longest();
        PartialAttention attention =
                PartialAttention.of(grouped, cache.keys(layer, span), cache.values(layer, span), mask(span, q));
        return new PartialAttention(
                ungrouped(attention.values(), groups, tokens, groupOf),
                ungrouped(attention.logSumExp(), groups, tokens, groupOf));
    }

    /** {@code [prefixes, heads, groups * tokens, n] -> [batch, heads, tokens, n]}. */
    private static Tensor ungrouped(Tensor x, long groups, long tokens, int[] groupOf) {
        Tensor all = x.view(x.size(0), x.size(1), groups, tokens, x.size(3))
                .transpose(1, 2)
                .reshape(x.size(0) * groups, x.size(1), tokens, x.size(3));
        return pick(all, groupOf);
    }

    private static Tensor pick(Tensor x, int[] indices) {
        boolean isIdentity = indices.length == x.size(0);
        for (int i = 0; i < indices.length && isIdentity; i++) {
            isIdentity = indices[i] == i;
        }
        return isIdentity
                ? x
                : x.index_select(0, Tensors.ofInts(indices, indices.length).to(x.device(), torch.ScalarType.Long));
    }

    private int longest() {
        int longest = 0;
        for (int i = 0; i < cache.batch(); i++) {
            longest = Math.max(longest, cache.length(i));
        }
        return longest;
    }

    /** {@code [prefixes, 1, 1, span]}, or null where all have the same length. */
    private @Nullable Tensor mask(int span, Tensor like) {
        float[] mask = new float[cache.batch() * span];
        boolean needed = false;
        for (int i = 0; i < cache.batch(); i++) {
            Arrays.fill(mask, i * span + cache.length(i), (i + 1) * span, Float.NEGATIVE_INFINITY);
            needed |= cache.length(i) < span;
        }
        return needed ? Tensors.of(mask, cache.batch(), 1, 1, span).to(like.device(), like.dtype()) : null;
    }
}
