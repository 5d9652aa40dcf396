package io.llava4j.model.cpu;

import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;

/** Brings stored tensors into the form that the kernels read. */
record CpuLoader(CpuWeights weights, Workers workers) {
    PackedMatrix matrix(Parameters.Linear layer) {
        return weights.pack(layer.prefix() + "weight", layer.out(), layer.in(), workers);
    }

    float[] norm(Parameters.Norm layer) {
        CpuWeights.Stored stored = weights.get(layer.prefix() + "weight");
        float[] values = new float[Math.toIntExact(layer.size())];
        TensorCast.decode(stored.format(), stored.rows(), 0, values.length, values);
        return values;
    }
}
