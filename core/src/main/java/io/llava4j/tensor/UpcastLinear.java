package io.llava4j.tensor;

import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A linear map whose weight is stored in a narrower type than its input. The weight is upcast tile by tile, so that only
 * one tile exists in both types at a time, which is for inference: it has no gradients. An input of the weight's own type
 * is multiplied as {@link DenseLinear} does, with gradients.
 */
record UpcastLinear(Tensor weight, @Nullable Tensor bias) implements LinearOperator {
    /** Elements of a tile for a single column of input: 1 MiB of 32-bit floats, which fits a core's own cache. */
    private static final long GEMV_TILE = 1 << 18;

    /**
     * Elements of a tile for several columns, where larger products are faster: 256 MiB, which holds any matrix of a 7B
     * model.
     */
    private static final long GEMM_TILE = 1 << 26;

    @Override
    public Tensor apply(Tensor x) {
        if (Tensors.type(x) == Tensors.type(weight)) {
            return new DenseLinear(weight, bias).apply(x);
        }
        Tensor product = Engine.freeingIntermediates(() -> upcastMatmul(x));
        return bias == null ? product : product.add(bias);
    }

    private Tensor upcastMatmul(Tensor x) {
        long out = weight.size(0);
        long in = weight.size(1);
        boolean single = x.numel() == in;
        // A matrix-vector product is several times faster than a matrix-matrix product with a single column.
        Tensor columns = single ? x.reshape(in) : x;
        long tileRows = Math.clamp((single ? GEMV_TILE : GEMM_TILE) / in, 1, out);
        Tensor buffer = torch.empty(new long[] {tileRows, in}, x.options(), new MemoryFormatOptional());
        TensorVector parts = new TensorVector();
        for (long from = 0; from < out; from += tileRows) {
            long count = Math.min(tileRows, out - from);
            try (Tensor stored = weight.narrow(0, from, count);
                    Tensor tile = buffer.narrow(0, 0, count)) {
                tile.copy_(stored);
                parts.push_back(single ? tile.mv(columns) : torch.linear(columns, tile));
            }
        }
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = out;
        return torch.cat(parts, -1).view(shape);
    }
}
