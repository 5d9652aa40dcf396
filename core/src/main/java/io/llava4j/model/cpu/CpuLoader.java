package io.llava4j.model.cpu;

import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;

/** Brings stored tensors into the form that the kernels read. */
record CpuLoader(CpuWeights weights, Workers workers) {
    PackedMatrix matrix(Parameters.Linear layer) {
        return weights.pack(layer.prefix() + "weight", layer.out(), layer.in(), workers);
    }

    CpuLinear linear(Parameters.Linear layer) {
        return new CpuLinear(matrix(layer), weights.vector(layer.prefix() + "bias", layer.out()));
    }

    float[] norm(Parameters.Norm layer) {
        return weights.vector(layer.prefix() + "weight", layer.size());
    }

    CpuLayerNorm layerNorm(Parameters.Norm layer) {
        return new CpuLayerNorm(norm(layer), weights.vector(layer.prefix() + "bias", layer.size()));
    }
}
