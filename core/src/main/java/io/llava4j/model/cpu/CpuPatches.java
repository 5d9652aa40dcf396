package io.llava4j.model.cpu;

import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** CLIP's own patch embedding: a convolution whose stride is its kernel, so a product with the pixels of each patch. */
final class CpuPatches implements CpuPatchEmbedding {
    private final int size;
    private final int edge;
    private final int grid;
    private final PackedMatrix weight;
    private final Kernels kernels;
    private final Workers workers;
    private final WorkMemory memory = new WorkMemory();
    private final Activations activations = new Activations(memory);
    private MemorySegment columns = MemorySegment.NULL;

    CpuPatches(VisionConfig config, Parameters.Convolution names, CpuLoader loader, Kernels kernels) {
        this.size = config.imageSize();
        this.edge = config.patchSize();
        this.grid = config.grid();
        this.kernels = kernels;
        this.workers = loader.workers();
        long in = names.in() * names.kernel() * names.kernel();
        this.weight = loader.weights().pack(names.prefix() + "weight", names.out(), in, workers);
    }

    @Override
    public void embed(float[] pixels, int first, MemorySegment to) {
        int in = weight.in();
        int patches = grid * grid;
        columns = memory.atLeast(columns, (long) patches * in);
        workers.run(patches, (patch, worker) -> {
            int corner = first + patch / grid * edge * size + patch % grid * edge;
            long at = (long) patch * in * Float.BYTES;
            for (int channel = 0; channel < 3; channel++) {
                for (int y = 0; y < edge; y++, at += (long) edge * Float.BYTES) {
                    int from = corner + (channel * size + y) * size;
                    MemorySegment.copy(pixels, from, columns, ValueLayout.JAVA_FLOAT, at, edge);
                }
            }
        });
        activations.set(columns, in, patches, in);
        kernels.multiply(weight, activations, to, weight.out(), workers);
    }

    @Override
    public long bytes() {
        return weight.bytes();
    }

    @Override
    public void freeBuffers() {
        memory.close();
    }

    @Override
    public void close() {
        memory.close();
        weight.close();
    }
}
