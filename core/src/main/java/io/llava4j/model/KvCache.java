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
 * Keys and values of what a batch has read so far. Rows may have different lengths: a row's tokens stand at places
 * 0 … length-1 whatever its neighbours hold, so that no padding is ever seen by attention.
 *
 * <p>Rows may continue beginnings that were read before and are kept once for all rows that share them
 * ({@link #continuing}).
 */
public final class KvCache implements AutoCloseable {
    private final Tensor[] keys;
    private final Tensor[] values;
    private final @Nullable PrefixCache beginnings;
    private int[] lengths;
    private int capacity;

    /**
     * An empty cache.
     *
     * @param config shape of the decoder
     * @param batch rows
     * @param capacity tokens a row may hold before {@link #reserve} is called
     * @param like a tensor of the device and type to use
     */
    public KvCache(TextConfig config, int batch, int capacity, Tensor like) {
        this(config, new int[batch], capacity, like, null);
    }

    private KvCache(TextConfig config, int[] lengths, int capacity, Tensor like, @Nullable PrefixCache beginnings) {
        this.keys = new Tensor[config.layers()];
        this.values = new Tensor[config.layers()];
        this.beginnings = beginnings;
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
     * A cache whose rows continue what another has read; that one must stay open and unchanged.
     *
     * @param config shape of the decoder
     * @param beginnings what was read; each of its rows may be continued by many
     * @param rowOf for each new row, which row of {@code beginnings} it continues
     * @param capacity tokens a row may hold behind its beginning
     * @param like a tensor of the device and type to use
     */
    public static KvCache continuing(TextConfig config, KvCache beginnings, int[] rowOf, int capacity, Tensor like) {
        return new KvCache(config, new int[rowOf.length], capacity, like, new PrefixCache(beginnings, rowOf.clone()));
    }

    /** One place more than asked for: padding that does not fit is written there and never read. */
    private static Tensor empty(long batch, long heads, long capacity, long headDim, Tensor like) {
        TensorOptions options = new TensorOptions(like.dtype()).device(new DeviceOptional(like.device()));
        return torch.zeros(new long[] {batch, heads, capacity + 1, headDim}, options);
    }

    /** Tokens a row holds, its beginning included. */
    public int length(int row) {
        return lengths[row] + (beginnings == null ? 0 : beginnings.length(row));
    }

    /** Rows. */
    public int batch() {
        return lengths.length;
    }

    /** Whether nothing was read yet. */
    boolean isEmpty() {
        return beginnings == null && longest() == 0;
    }

    /** Makes room for further tokens of every row. */
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

    /** Keeps only these rows, in this order. */
    public void keep(int[] rows) {
        Tensor index = Tensors.ofInts(rows, rows.length).to(keys[0].device(), torch.ScalarType.Long);
        for (Tensor[] tensors : new Tensor[][] {keys, values}) {
            for (int i = 0; i < tensors.length; i++) {
                replace(tensors, i, tensors[i].index_select(0, index));
            }
        }
        lengths = Arrays.stream(rows).map(row -> lengths[row]).toArray();
        if (beginnings != null) {
            beginnings.keep(rows);
        }
    }

    private static void replace(Tensor[] tensors, int i, Tensor by) {
        tensors[i].releaseReference();
        tensors[i] = by.retainReference();
    }

    /** Positions of each row's new tokens in its sequence, {@code [batch, tokens]} row-major. */
    int[] nextPositions(int tokens) {
        int[] positions = places(tokens);
        for (int i = 0; beginnings != null && i < positions.length; i++) {
            positions[i] += beginnings.length(i / tokens);
        }
        return positions;
    }

    /** Places of each row's new tokens in the cache; {@code capacity} for padding that does not fit. */
    private int[] places(int tokens) {
        int[] places = new int[lengths.length * tokens];
        for (int i = 0; i < places.length; i++) {
            places[i] = Math.min(lengths[i / tokens] + i % tokens, capacity);
        }
        return places;
    }

    /**
     * Where a piece of reading goes and what it may see, the same for all layers.
     *
     * @param tokens new tokens of each row, padding included
     * @param span places up to which the new tokens of any row reach
     * @param places of the new tokens, {@code [batch, 1, tokens, 1]}; null where all rows begin at place 0
     * @param mask what each new token may see of its own row, {@code [batch, 1, tokens, span]} of 0 and -infinity
     */
    record Piece(int tokens, int span, @Nullable Tensor places, Tensor mask) {}

    /** Prepares the reading of {@code tokens} further tokens in every row. */
    Piece piece(int tokens, Tensor like) {
        int span = Math.min(capacity, longest() + tokens);
        float[] mask = new float[lengths.length * tokens * span];
        for (int row = 0; row < lengths.length; row++) {
            for (int t = 0; t < tokens; t++) {
                int from = (row * tokens + t) * span;
                Arrays.fill(
                        mask, Math.min(from + lengths[row] + t + 1, from + span), from + span, Float.NEGATIVE_INFINITY);
            }
        }
        int batch = lengths.length;
        Tensor places = longest() == 0
                ? null
                : Tensors.ofInts(places(tokens), batch, 1, tokens, 1).to(like.device(), torch.ScalarType.Long);
        return new Piece(
                tokens, span, places, Tensors.of(mask, batch, 1, tokens, span).to(like.device(), like.dtype()));
    }

    /** Stores keys and values {@code [batch, kvHeads, tokens, headDim]} of a first piece. */
    void storeFirst(int layer, Tensor k, Tensor v) {
        keys[layer].narrow(2, 0, k.size(2)).copy_(k);
        values[layer].narrow(2, 0, v.size(2)).copy_(v);
    }

    /**
     * Stores keys and values of a piece and attends to everything each token may see.
     *
     * @param q {@code [batch, heads, tokens, headDim]}
     * @param k {@code [batch, kvHeads, tokens, headDim]}
     * @param v {@code [batch, kvHeads, tokens, headDim]}
     * @return {@code [batch, heads, tokens, headDim]}
     */
    Tensor attend(int layer, Tensor q, Tensor k, Tensor v, Piece piece) {
        if (piece.places() == null) {
            storeFirst(layer, k, v);
        } else {
            Tensor index = piece.places().expand(k.size(0), k.size(1), k.size(2), k.size(3));
            keys[layer].scatter_(2, index, k);
            values[layer].scatter_(2, index, v);
        }
        Tensor ownKeys = keys(layer, piece.span());
        Tensor ownValues = values(layer, piece.span());
        if (beginnings == null) {
            return Attention.attend(q, ownKeys, ownValues, piece.mask(), false);
        }
        return Attention.Share.of(q, ownKeys, ownValues, piece.mask()).joinedWith(beginnings.attend(layer, q));
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

    /** Forgets everything behind a row's first {@code length} tokens, those of a shared beginning not counted. */
    public void truncate(int row, int length) {
        lengths[row] = Math.min(lengths[row], length);
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
