package io.llava4j.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A linear map whose weight has the type of its input; gradients flow through it. */
record DenseLinear(Tensor weight, @Nullable Tensor bias) implements LinearOperator {
    @Override
    public Tensor apply(Tensor x) {
        Tensor product = Engine.freeingIntermediates(() -> matmul(x));
        // Added afterwards rather than in the product, so that dense and upcast weights round alike.
        return bias == null ? product : product.add(bias);
    }

    private Tensor matmul(Tensor x) {
        long out = weight.size(0);
        long in = weight.size(1);
        if (x.numel() != in) {
            return torch.linear(x, weight);
        }
        // A matrix-vector product is several times faster than a matrix-matrix product with a single column.
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = out;
        return weight.mv(x.reshape(in)).view(shape);
    }
}
