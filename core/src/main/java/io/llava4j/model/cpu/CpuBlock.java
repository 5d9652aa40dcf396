package io.llava4j.model.cpu;

import io.llava4j.model.config.LlamaParameters;
import io.llava4j.tensor.kernel.PackedMatrix;
import java.util.List;

/** The weights of one block in the kernels' layout. */
record CpuBlock(
        float[] inputNorm,
        float[] postAttentionNorm,
        PackedMatrix query,
        PackedMatrix key,
        PackedMatrix value,
        PackedMatrix out,
        PackedMatrix gate,
        PackedMatrix up,
        PackedMatrix down)
        implements AutoCloseable {
    static CpuBlock load(LlamaParameters.Block names, CpuLoader loader) {
        return new CpuBlock(
                loader.norm(names.inputNorm()),
                loader.norm(names.postAttentionNorm()),
                loader.matrix(names.query()),
                loader.matrix(names.key()),
                loader.matrix(names.value()),
                loader.matrix(names.out()),
                loader.matrix(names.gate()),
                loader.matrix(names.up()),
                loader.matrix(names.down()));
    }

    long bytes() {
        return matrices().stream().mapToLong(PackedMatrix::bytes).sum();
    }

    List<PackedMatrix> matrices() {
        return List.of(query, key, value, out, gate, up, down);
    }

    @Override
    public void close() {
        matrices().forEach(PackedMatrix::close);
    }
}
