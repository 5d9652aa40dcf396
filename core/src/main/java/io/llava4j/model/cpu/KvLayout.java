package io.llava4j.model.cpu;

import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.kernel.FloatTiles;

/**
 * Where keys and values lie in a {@link KvPage}. A page holds {@value #POSITIONS} positions of all layers. For each layer
 * and key-value head the keys come first, in tiles of neighbouring positions, {@code [tile, headDim, ROWS]}, then the
 * values, in tiles of neighbouring elements, {@code [tile, POSITIONS, ROWS]}: both are matrices that the kernels multiply
 * from the left, by queries and by probabilities.
 *
 * @param layers of the language model
 * @param kvHeads key and value heads of a layer
 * @param headDim width of a head
 * @param type of the elements, F16 or F32
 */
record KvLayout(int layers, int kvHeads, int headDim, DType type) {
    /** Positions of a page. */
    static final int POSITIONS = 64;

    private static final int ROWS = FloatTiles.ROWS;

    /** Elements of a head, padded to whole tiles. */
    int paddedDim() {
        return Math.ceilDiv(headDim, ROWS) * ROWS;
    }

    /** Bytes of the keys of one head of one layer. */
    long keyBytes() {
        return (long) POSITIONS * headDim * type.bytes();
    }

    /** Bytes of the values of one head of one layer. */
    long valueBytes() {
        return (long) POSITIONS * paddedDim() * type.bytes();
    }

    /** Bytes of a page. */
    long pageBytes() {
        return (keyBytes() + valueBytes()) * layers * kvHeads;
    }

    /** Offset of the keys of a head in a page. */
    long keysAt(int layer, int head) {
        return (keyBytes() + valueBytes()) * ((long) layer * kvHeads + head);
    }

    /** Offset of the values of a head in a page. */
    long valuesAt(int layer, int head) {
        return keysAt(layer, head) + keyBytes();
    }

    /** Index of an element among the keys of a head. */
    int key(int slot, int i) {
        return (slot / ROWS * headDim + i) * ROWS + slot % ROWS;
    }

    /** Index of an element among the values of a head. */
    int value(int slot, int i) {
        return (i / ROWS * POSITIONS + slot) * ROWS + i % ROWS;
    }
}
