package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Beginnings that many rows continue, such as a prompt up to the question about an image. Their keys and values are kept
 * and read once: all queries of the rows that share one are attended together.
 */
final class PrefixCache {
    private final KvCache cache;
    private int[] rowOf;

    /**
     * @param cache one row for each beginning
     * @param rowOf which beginning each row continues
     */
    PrefixCache(KvCache cache, int[] rowOf) {
        this.cache = cache;
        this.rowOf = rowOf;
    }

    /** Tokens of a row's beginning. */
    int length(int row) {
        return cache.length(rowOf[row]);
    }

    /** Keeps only these rows, in this order. */
    void keep(int[] rows) {
        rowOf = Arrays.stream(rows).map(row -> rowOf[row]).toArray();
    }

    /**
     * Attention of each row to its beginning.
     *
     * @param q {@code [batch, heads, tokens, headDim]}
     */
    Attention.Share attend(int layer, Tensor q) {
        long heads = q.size(1);
        long tokens = q.size(2);
        long headDim = q.size(3);
        int beginnings = cache.batch();
        int[] counts = new int[beginnings];
        for (int beginning : rowOf) {
            counts[beginning]++;
        }
        // The rows of a beginning take the first of its equally many slots; the rest repeats row 0 and is dropped.
        int each = Arrays.stream(counts).max().orElse(0);
        int[] rowIn = new int[beginnings * each];
        int[] slotOf = new int[rowOf.length];
        Arrays.fill(counts, 0);
        for (int row = 0; row < rowOf.length; row++) {
            slotOf[row] = rowOf[row] * each + counts[rowOf[row]]++;
            rowIn[slotOf[row]] = row;
        }
        Tensor slots = pick(q, rowIn)
                .reshape(beginnings, each, heads, tokens, headDim)
                .transpose(1, 2)
                .reshape(beginnings, heads, each * tokens, headDim);
        int span = longest();
        Attention.Share share =
                Attention.Share.of(slots, cache.keys(layer, span), cache.values(layer, span), mask(span, q));
        return new Attention.Share(
                unslotted(share.values(), each, tokens, slotOf), unslotted(share.normalisers(), each, tokens, slotOf));
    }

    /** {@code [beginnings, heads, each * tokens, n] -> [batch, heads, tokens, n]}. */
    private static Tensor unslotted(Tensor x, long each, long tokens, int[] slotOf) {
        Tensor rows = x.view(x.size(0), x.size(1), each, tokens, x.size(3))
                .transpose(1, 2)
                .reshape(x.size(0) * each, x.size(1), tokens, x.size(3));
        return pick(rows, slotOf);
    }

    private static Tensor pick(Tensor x, int[] rows) {
        boolean asTheyAre = rows.length == x.size(0);
        for (int i = 0; i < rows.length && asTheyAre; i++) {
            asTheyAre = rows[i] == i;
        }
        return asTheyAre
                ? x
                : x.index_select(0, Tensors.ofInts(rows, rows.length).to(x.device(), torch.ScalarType.Long));
    }

    private int longest() {
        int longest = 0;
        for (int i = 0; i < cache.batch(); i++) {
            longest = Math.max(longest, cache.length(i));
        }
        return longest;
    }

    /** {@code [beginnings, 1, 1, span]}, or null where all are of one length. */
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
