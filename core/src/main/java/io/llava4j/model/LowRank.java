package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** The arithmetic of low-rank adapters (docs/reference/training.md#lora). */
public final class LowRank {
    private LowRank() {}

    /**
     * A weight with its adapter: {@code W + scale * B A}, {@code [out, in]}.
     *
     * @param weight W, {@code [out, in]}
     * @param down A, {@code [rank, in]}
     * @param up B, {@code [out, rank]}
     */
    public static Tensor sum(Tensor weight, Tensor down, Tensor up, double scale) {
        return weight.add(up.matmul(down).mul(Tensors.scalar(scale)));
    }

    /** Lengths of a matrix's rows in 32-bit floats: {@code [out, in] -> [out]}. DoRA starts with those of the weight. */
    public static Tensor rowLengths(Tensor matrix) {
        Tensor exact = matrix.to(Tensors.FLOAT);
        return exact.mul(exact).sum(1).sqrt();
    }
}
