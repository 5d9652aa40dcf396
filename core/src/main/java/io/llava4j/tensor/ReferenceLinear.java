package io.llava4j.tensor;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The scalar reference of every {@link LinearOperator}: loops in plain Java that accumulate in double precision and round
 * once at the end. Slow, and without gradients.
 */
record ReferenceLinear(Tensor weight, @Nullable Tensor bias) implements LinearOperator {
    @Override
    public Tensor apply(Tensor x) {
        int out = Math.toIntExact(weight.size(0));
        int in = Math.toIntExact(weight.size(1));
        float[] product = multiply(
                Tensors.toFloats(x),
                BlockFormat.F32,
                MemorySegment.ofArray(Tensors.toFloats(weight)),
                out,
                in,
                bias == null ? null : Tensors.toFloats(bias));
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = out;
        return Tensors.of(product, shape).to(x.device(), x.scalar_type());
    }

    /**
     * The product in Java arrays, of a weight in any format, quantised ones included.
     *
     * @param x {@code [columns, in]}
     * @param format of the weight
     * @param weight {@code [out, in]} row-major
     * @param out rows of the weight
     * @param in length of a row; a multiple of the format's block size
     * @param bias {@code [out]}, or null
     * @return {@code [columns, out]}
     */
    static float[] multiply(
            float[] x, BlockFormat format, MemorySegment weight, int out, int in, float @Nullable [] bias) {
        int columns = x.length / in;
        float[] product = new float[columns * out];
        float[] row = new float[in];
        for (int i = 0; i < out; i++) {
            TensorCast.decode(format, weight, (long) i * in, in, row);
            for (int column = 0; column < columns; column++) {
                double sum = bias == null ? 0 : bias[i];
                for (int k = 0; k < in; k++) {
                    sum += (double) row[k] * x[column * in + k];
                }
                product[column * out + i] = (float) sum;
            }
        }
        return product;
    }
}
