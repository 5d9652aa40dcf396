package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Keys and values of what a batch has read so far. Rows may have different lengths: a row's tokens stand at places
 * 0 … length-1 whatever its neighbours hold, so that no padding is ever seen by attention and a row's answer does not
 * depend on the batch.
 */
public final class KvCache implements AutoCloseable {
    private final Tensor[] keys;
    private final Tensor[] values;
    private final int[] lengths;
    private final int capacity;

    /**
     * An empty cache.
     *
     * @param config shape of the decoder
     * @param batch rows
     * @param capacity most tokens a row will hold
     * @param like a tensor of the device and type to use
     */
    public KvCache(TextConfig config, int batch, int capacity, Tensor like) {
        this.keys = new Tensor[config.layers()];
        this.values = new Tensor[config.layers()];
        this.lengths = new int[batch];
        this.capacity = capacity;
        long[] shape = {batch, config.kvHeads(), capacity, config.headDim()};
        TensorOptions options = new TensorOptions(like.dtype()).device(new DeviceOptional(like.device()));
        for (int i = 0; i < keys.length; i++) {
            keys[i] = torch.zeros(shape, options).retainReference();
            values[i] = torch.zeros(shape, options).retainReference();
        }
    }

    /** Tokens a row holds. */
    public int length(int row) {
        return lengths[row];
    }

    /** Rows. */
    public int batch() {
        return lengths.length;
    }

    /** Whether nothing was read yet. */
    boolean isEmpty() {
        return Arrays.stream(lengths).allMatch(length -> length == 0);
    }

    /** Places each row's new tokens take, {@code [batch, tokens]} row-major. */
    int[] nextPositions(int tokens) {
        int[] positions = new int[lengths.length * tokens];
        for (int row = 0; row < lengths.length; row++) {
            for (int t = 0; t < tokens; t++) {
                positions[row * tokens + t] = Math.min(lengths[row] + t, capacity - 1);
            }
        }
        return positions;
    }

    /**
     * What each new token may see: everything of its own row up to itself.
     *
     * @return {@code [batch, 1, tokens, span]} of 0 and -infinity
     */
    Tensor mask(int tokens, int span, Tensor like) {
        float[] mask = new float[lengths.length * tokens * span];
        for (int row = 0; row < lengths.length; row++) {
            for (int t = 0; t < tokens; t++) {
                int from = (row * tokens + t) * span;
                Arrays.fill(
                        mask, Math.min(from + lengths[row] + t + 1, from + span), from + span, Float.NEGATIVE_INFINITY);
            }
        }
        return Tensors.of(mask, lengths.length, 1, tokens, span).to(like.device(), like.dtype());
    }

    /** Places up to which the new tokens of any row reach. */
    int span(int tokens) {
        return Math.min(capacity, Arrays.stream(lengths).max().orElse(0) + tokens);
    }

    /** Stores keys and values {@code [batch, kvHeads, tokens, headDim]} behind what each row holds. */
    void store(int layer, Tensor k, Tensor v) {
        int tokens = Math.toIntExact(k.size(2));
        for (int row = 0; row < lengths.length; row++) {
            int fitting = Math.min(tokens, capacity - lengths[row]);
            if (fitting > 0) {
                place(keys[layer], k, row, fitting);
                place(values[layer], v, row, fitting);
            }
        }
    }

    private void place(Tensor cache, Tensor fresh, int row, int tokens) {
        cache.select(0, row)
                .narrow(1, lengths[row], tokens)
                .copy_(fresh.select(0, row).narrow(1, 0, tokens));
    }

    /** The first {@code span} keys of a layer. */
    Tensor keys(int layer, int span) {
        return keys[layer].narrow(2, 0, span);
    }

    /** The first {@code span} values of a layer. */
    Tensor values(int layer, int span) {
        return values[layer].narrow(2, 0, span);
    }

    /** Counts new tokens as read: {@code tokens[row]} of what was stored are real, the rest was padding. */
    void advance(int[] tokens) {
        for (int row = 0; row < lengths.length; row++) {
            lengths[row] = Math.min(capacity, lengths[row] + tokens[row]);
        }
    }

    /** Forgets everything behind a row's first {@code length} tokens. */
    public void truncate(int row, int length) {
        lengths[row] = Math.min(lengths[row], length);
    }

    @Override
    public void close() {
        for (Tensor tensor : keys) {
            tensor.releaseReference();
        }
        for (Tensor tensor : values) {
            tensor.releaseReference();
        }
    }
}
