package io.llava4j.tensor;

import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A linear map on the CPU over a packed weight of any type. An output does not depend on the other columns of its input,
 * to the last bit. For inference: it has no gradients.
 *
 * @param weight {@code [out, in]}; must stay open as long as the operator is used
 * @param bias {@code [out]} 32-bit floats, or null
 */
public record PackedLinear(PackedMatrix weight, @Nullable Tensor bias, Kernels kernels, Workers workers)
        implements LinearOperator {
    @Override
    public Tensor apply(Tensor x) {
        Tensor product = Engine.freeingIntermediates(() -> multiply(x.contiguous()));
        return bias == null ? product : product.add(bias);
    }

    private Tensor multiply(Tensor x) {
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = weight.out();
        Tensor product = torch.empty(shape, x.options(), new MemoryFormatOptional());
        int columns = Math.toIntExact(x.numel() / weight.in());
        if (columns > 0) {
            Activations activations = new Activations();
            activations.set(Tensors.memory(x), weight.in(), columns, weight.in());
            kernels.multiply(weight, activations, Tensors.memory(product), weight.out(), workers);
        }
        return product;
    }
}
