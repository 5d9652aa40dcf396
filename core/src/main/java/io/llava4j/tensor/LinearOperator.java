package io.llava4j.tensor;

import org.bytedeco.pytorch.Tensor;

/**
 * A linear map {@code y = x W^T + b} whose weight may be stored in any type. {@link LinearProvider} builds operators;
 * every implementation agrees with {@link ReferenceLinear} up to the rounding of its accumulation.
 */
@FunctionalInterface
public interface LinearOperator {
    /**
     * Applies the map along the last dimension, within an engine scope.
     *
     * @param x {@code [..., in]} 32-bit floats, contiguous or not; stays unchanged
     * @return {@code [..., out]}, of the type and device of {@code x}
     */
    Tensor apply(Tensor x);
}
