package io.llava4j.model.cpu;

import io.llava4j.model.config.ClipParameters;
import java.util.List;

/** The weights of one block of CLIP's vision tower. */
record CpuClipBlock(
        CpuLayerNorm norm1,
        CpuLinear query,
        CpuLinear key,
        CpuLinear value,
        CpuLinear out,
        CpuLayerNorm norm2,
        CpuLinear fc1,
        CpuLinear fc2)
        implements AutoCloseable {
    static CpuClipBlock load(ClipParameters.Block names, CpuLoader loader) {
        return new CpuClipBlock(
                loader.layerNorm(names.norm1()),
                loader.linear(names.query()),
                loader.linear(names.key()),
                loader.linear(names.value()),
                loader.linear(names.out()),
                loader.layerNorm(names.norm2()),
                loader.linear(names.fc1()),
                loader.linear(names.fc2()));
    }

    private List<CpuLinear> layers() {
        return List.of(query, key, value, out, fc1, fc2);
    }

    long bytes() {
        return layers().stream().mapToLong(layer -> layer.weight().bytes()).sum();
    }

    @Override
    public void close() {
        layers().forEach(CpuLinear::close);
    }
}
