package io.llava4j.model.cpu;

import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.util.Arrays;

/** Brings stored tensors into the form that the kernels read. */
record CpuLoader(CpuWeights weights, Workers workers) {
    PackedMatrix matrix(Parameters.Linear layer) {
        return weights.pack(layer.prefix() + "weight", layer.out(), layer.in(), workers);
    }

    CpuLinear linear(Parameters.Linear layer) {
        return new CpuLinear(matrix(layer), weights.vector(layer.prefix() + "bias", layer.out()));
    }

    /** A linear layer of those whose weights and biases lie one after another in two tensors; files of packed weights do not hold it. */
    CpuLinear part(Parameters.Single matrices, Parameters.Single biases, int index, int width) {
        CpuWeights.Stored stored = weights.get(matrices.name());
        long in = matrices.shape()[1];
        long bytes = stored.format().bytes(width * in);
        PackedMatrix matrix = PackedMatrix.pack(
                stored.format(), stored.rows().asSlice(index * bytes, bytes), width, Math.toIntExact(in), workers);
        float[] all = weights.vector(biases.name(), biases.shape()[0]);
        return new CpuLinear(matrix, Arrays.copyOfRange(all, index * width, (index + 1) * width));
    }

    /** One without biases. */
    CpuLinear linearWithoutBias(Parameters.Linear layer) {
        return new CpuLinear(matrix(layer), new float[Math.toIntExact(layer.out())]);
    }

    float[] norm(Parameters.Norm layer) {
        return weights.vector(layer.prefix() + "weight", layer.size());
    }

    CpuLayerNorm layerNorm(Parameters.Norm layer) {
        return new CpuLayerNorm(norm(layer), weights.vector(layer.prefix() + "bias", layer.size()));
    }
}
