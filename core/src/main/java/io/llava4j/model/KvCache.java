package io.llava4j.model;

import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of the tokens that a batch of sequences has read. Sequences may have different lengths: the tokens of
 * each fill its slots 0 … length-1, whatever the others hold, so that attention never sees padding.
 *
 * <p>Sequences may continue prefixes that were read before and are kept once for all sequences that share one
 * ({@link #continuing}).
 */
public final class KvCache implements AutoCloseable {
    private final Tensor[] keys;
    private final Tensor[] values;
    private final @Nullable PrefixCache prefixes;
    private int[] lengths;
    private int capacity;

    /**
     * An empty cache.
     *
     * @param config shape of the language model
     * @param batch number of sequences
     * @param capacity slots of each sequence before {@link #reserve} is called
     * @param like a tensor of the device and type to use
     */
    public KvCache(TextConfig config, int batch, int capacity, Tensor like) {
        this(config, new int[batch], capacity, like, null);
    }

    private KvCache(TextConfig config, int[] lengths, int capacity, Tensor like, @Nullable PrefixCache prefixes) {
        this.keys = new Tensor[config.layers()];
        this.values = new Tensor[config.layers()];
        this.prefixes = prefixes;
        this.lengths = lengths;
        this.capacity = capacity;
        for (int i = 0; i < keys.length; i++) {
            keys[i] = empty(lengths.length, config.kvHeads(), capacity, config.headDim(), like)
                    .retainReference();
            values[i] = empty(lengths.length, config.kvHeads(), capacity, config.headDim(), like)
                    .retainReference();
        }
    }

    /**
     * A cache whose sequences continue those of another, which must stay open and unchanged.
     *
     * @param config shape of the language model
     * @param prefixes holds the sequences to be continued, each by any number of new ones
     * @param prefixOf for each new sequence, the index of the one it continues
     * @param capacity slots of each sequence after its prefix, before {@link #reserve} is called
     * @param like a tensor of the device and type to use
     */
    public static KvCache continuing(TextConfig config, KvCache prefixes, int[] prefixOf, int capacity, Tensor like) {
        return new KvCache(
                config, new int[prefixOf.length], capacity, like, new PrefixCache(prefixes, prefixOf.clone()));
    }

    /** With one slot more than asked for: padding that does not fit is written there and never read. */
    private static Tensor empty(long batch, long heads, long capacity, long headDim, Tensor like) {
        TensorOptions options = new TensorOptions(like.dtype()).device(new DeviceOptional(like.device()));
        return torch.zeros(new long[] {batch, heads, capacity + 1, headDim}, options);
    }

    /** Tokens that a sequence has read, its prefix included. */
    public int length(int sequence) {
        return lengths[sequence] + (prefixes == null ? 0 : prefixes.length(sequence));
    }

    /** Number of sequences. */
    public int batch() {
        return lengths.length;
    }

    /** Whether nothing was read yet. */
    boolean isEmpty() {
        return prefixes == null && longest() == 0;
    }

    /** Makes slots for further tokens of every sequence. */
    public void reserve(int tokens) {
        int needed = longest() + tokens;
        if (needed <= capacity) {
            return;
        }
        int larger = Math.max(needed, capacity + capacity / 2);
        for (Tensor[] tensors : new Tensor[][] {keys, values}) {
            for (int i = 0; i < tensors.length; i++) {
                Tensor old = tensors[i];
                Tensor grown = empty(old.size(0), old.size(1), larger, old.size(3), old);
                grown.narrow(2, 0, capacity).copy_(old.narrow(2, 0, capacity));
                replace(tensors, i, grown);
            }
        }
        capacity = larger;
    }

    /** Keeps only these sequences, in this order. */
    public void keep(int[] kept) {
        Tensor index = Tensors.ofInts(kept, kept.length).to(keys[0].device(), torch.ScalarType.Long);
        for (Tensor[] tensors : new Tensor[][] {keys, values}) {
            for (int i = 0; i < tensors.length; i++) {
                replace(tensors, i, tensors[i].index_select(0, index));
            }
        }
        lengths = Arrays.stream(kept).map(sequence -> lengths[sequence]).toArray();
        if (prefixes != null) {
            prefixes.keep(kept);
        }
    }

    private static void replace(Tensor[] tensors, int i, Tensor by) {
        tensors[i].releaseReference();
        tensors[i] = by.retainReference();
    }

    /** Positions of new tokens in their sequences, {@code [batch, tokens]} row-major. */
    int[] nextPositions(int tokens) {
        int[] positions = slots(tokens);
        for (int i = 0; prefixes != null && i < positions.length; i++) {
            positions[i] += prefixes.length(i / tokens);
        }
        return positions;
    }

    /** Slots of new tokens, {@code [batch, tokens]} row-major; {@code capacity} for padding that does not fit. */
    private int[] slots(int tokens) {
        int[] slots = new int[lengths.length * tokens];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = Math.min(lengths[i / tokens] + i % tokens, capacity);
        }
        return slots;
    }

    /**
     * Where a chunk of new tokens is stored and what it may see, the same for all layers.
     *
     * @param tokens new tokens of each sequence, padding included
     * @param span slots up to which the new tokens of any sequence reach
     * @param slots of the new tokens, {@code [batch, 1, tokens, 1]}; null where all sequences start at slot 0
     * @param mask what each new token may see of its own sequence, {@code [batch, 1, tokens, span]} of 0 and -infinity
     */
    record Chunk(int tokens, int span, @Nullable Tensor slots, Tensor mask) {}

    /** Prepares the reading of {@code tokens} further tokens of every sequence. */
    Chunk chunk(int tokens, Tensor like) {
        int span = Math.min(capacity, longest() + tokens);
        float[] mask = new float[lengths.length * tokens * span];
        for (int i = 0; i < lengths.length; i++) {
            for (int t = 0; t < tokens; t++) {
                int from = (i * tokens + t) * span;
                Arrays.fill(
                        mask, Math.min(from + lengths[i] + t + 1, from + span), from + span, Float.NEGATIVE_INFINITY);
            }
        }
        int batch = lengths.length;
        Tensor slots = longest() == 0
                ? null
                : Tensors.ofInts(slots(tokens), batch, 1, tokens, 1).to(like.device(), torch.ScalarType.Long);
        return new Chunk(
                tokens, span, slots, Tensors.of(mask, batch, 1, tokens, span).to(like.device(), like.dtype()));
    }

    /** Stores keys and values {@code [batch, kvHeads, tokens, headDim]} of a first chunk. */
    void storeFirst(int layer, Tensor k, Tensor v) {
        keys[layer].narrow(2, 0, k.size(2)).copy_(k);
        values[layer].narrow(2, 0, v.size(2)).copy_(v);
    }

    /**
     * Stores keys and values of a chunk and attends to everything that each token may see.
     *
     * @param q {@code [batch, heads, tokens, headDim]}
     * @param k {@code [batch, kvHeads, tokens, headDim]}
     * @param v {@code [batch, kvHeads, tokens, headDim]}
     * @return {@code [batch, heads, tokens, headDim]}
     */
    Tensor attend(int layer, Tensor q, Tensor k, Tensor v, Chunk chunk) {
        if (chunk.slots() == null) {
            storeFirst(layer, k, v);
        } else {
            Tensor index = chunk.slots().expand(k.size(0), k.size(1), k.size(2), k.size(3));
            keys[layer].scatter_(2, index, k);
            values[layer].scatter_(2, index, v);
        }
        Tensor ownKeys = keys(layer, chunk.span());
        Tensor ownValues = values(layer, chunk.span());
        if (prefixes == null) {
            return Attention.attend(q, ownKeys, ownValues, chunk.mask(), false);
        }
        return Attention.PartialAttention.of(q, ownKeys, ownValues, chunk.mask())
                .merge(prefixes.attend(layer, q));
    }

    /** The first {@code span} keys of a layer. */
    Tensor keys(int layer, int span) {
        return keys[layer].narrow(2, 0, span);
    }

    /** The first {@code span} values of a layer. */
    Tensor values(int layer, int span) {
        return values[layer].narrow(2, 0, span);
    }

    /** Counts new tokens as read: of what was stored, {@code tokens[i]} of sequence i are real and the others padding. */
    void advance(int[] tokens) {
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = Math.min(capacity, lengths[i] + tokens[i]);
        }
    }

    private int longest() {
        return Arrays.stream(lengths).max().orElse(0);
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
