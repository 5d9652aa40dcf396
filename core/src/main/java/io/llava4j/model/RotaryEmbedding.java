package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * LLaMA's rotary position embedding in the "rotate half" layout (docs/reference/model.md#rotary-position-embedding). Tables
 * are computed in 32-bit floats as the reference computes them, up to the largest position so far.
 */
final class RotaryEmbedding implements AutoCloseable {
    /** Cosine and sine of the positions of a batch, broadcastable to {@code [batch, heads, tokens, headDim]}. */
    record Angles(Tensor cos, Tensor sin) {}

    private final int headDim;
    private final double theta;
    private final double factor;
    private final Weights tables = new Weights();
    private int capacity;

    /** @param factor positions are divided by it; 1 for none */
    RotaryEmbedding(int headDim, double theta, double factor) {
        this.headDim = headDim;
        this.theta = theta;
        this.factor = factor;
    }

    /** Angles of positions {@code first … first + tokens - 1}, the same for every sequence. */
    synchronized Angles range(int first, int tokens, Tensor like) {
        reserve(first + tokens, like);
        return new Angles(
                tables.get("cos").narrow(0, first, tokens), tables.get("sin").narrow(0, first, tokens));
    }

    /**
     * Angles of given positions.
     *
     * @param positions {@code [batch, tokens]} row-major
     */
    synchronized Angles at(int[] positions, long batch, long tokens, Tensor like) {
        int last = 0;
        for (int position : positions) {
            last = Math.max(last, position);
        }
        reserve(last + 1, like);
        Tensor index = Tensors.ofInts(positions, positions.length).to(like.device(), torch.ScalarType.Long);
        return new Angles(
                tables.get("cos").index_select(0, index).view(batch, 1, tokens, headDim),
                tables.get("sin").index_select(0, index).view(batch, 1, tokens, headDim));
    }

    /** Rotates queries or keys {@code [batch, heads, tokens, headDim]}. */
    static Tensor rotate(Tensor x, Angles angles) {
        long half = x.size(3) / 2;
        Tensor rotated = Tensors.cat(3, x.narrow(3, half, half).neg(), x.narrow(3, 0, half));
        return x.mul(angles.cos()).add(rotated.mul(angles.sin()));
    }

    private void reserve(int positions, Tensor like) {
        if (positions <= capacity) {
            return;
        }
        capacity = Math.max(positions, 2 * capacity);
        RotaryTable table = RotaryTable.of(headDim, theta, factor, capacity);
        float[] cos = twice(table.cos());
        float[] sin = twice(table.sin());
        tables.put("cos", Tensors.of(cos, capacity, headDim).to(like.device(), like.dtype()));
        tables.put("sin", Tensors.of(sin, capacity, headDim).to(like.device(), like.dtype()));
    }

    /** Both halves of a head turn by the same angles: {@code [positions, half] -> [positions, headDim]}. */
    private float[] twice(float[] halves) {
        int half = headDim / 2;
        float[] values = new float[2 * halves.length];
        for (int row = 0; row < halves.length / half; row++) {
            System.arraycopy(halves, row * half, values, row * headDim, half);
            System.arraycopy(halves, row * half, values, row * headDim + half, half);
        }
        return values;
    }

    @Override
    public void close() {
        tables.close();
    }
}
