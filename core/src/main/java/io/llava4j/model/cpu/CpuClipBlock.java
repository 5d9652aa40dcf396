package io.llava4j.model.cpu;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.kernel.PackedMatrix;
import org.bytedeco.pytorch.Tensor;

/** The tensors of one block of CLIP's vision tower. */
record CpuClipBlock(
        Norm norm1,
        Layer query,
        Layer key,
        Layer value,
        Layer out,
        Norm norm2,
        PackedMatrix fc1,
        Tensor fc1Bias,
        Layer fc2) {
    /** A LayerNorm. */
    record Norm(float[] weight, float[] bias) {}

    /** A linear layer. */
    record Layer(PackedMatrix weight, float[] bias) {}

    /** @param weights own the matrices and the bias tensor */
    static CpuClipBlock load(ClipParameters.Block names, Weights weights) {
        return new CpuClipBlock(
                norm(names.norm1(), weights),
                layer(names.query(), weights),
                layer(names.key(), weights),
                layer(names.value(), weights),
                layer(names.out(), weights),
                norm(names.norm2(), weights),
                weights.packed(names.fc1().prefix() + "weight"),
                weights.get(names.fc1().prefix() + "bias"),
                layer(names.fc2(), weights));
    }

    private static Norm norm(Parameters.Norm names, Weights weights) {
        return new Norm(vector(names.prefix() + "weight", weights), vector(names.prefix() + "bias", weights));
    }

    private static Layer layer(Parameters.Linear names, Weights weights) {
        return new Layer(weights.packed(names.prefix() + "weight"), vector(names.prefix() + "bias", weights));
    }

    private static float[] vector(String name, Weights weights) {
        return Tensors.toFloats(weights.get(name));
    }
}
