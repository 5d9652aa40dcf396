package io.llava4j.model.cpu;

import io.llava4j.tensor.kernel.PackedMatrix;

/** A linear layer in the kernels' layout. */
record CpuLinear(PackedMatrix weight, float[] bias) implements AutoCloseable {
    @Override
    public void close() {
        weight.close();
    }
}
