package io.llava4j.model.cpu;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/** Turns the pixels of an image into patch embeddings. One caller computes at a time. */
sealed interface CpuPatchEmbedding extends AutoCloseable permits CpuPatches, CpuStem {
    /**
     * Embeds an image.
     *
     * @param pixels hold {@code [3, size, size]} from {@code first} on
     * @param to {@code [patches, hidden]} floats off the heap, row-major from the top left
     */
    void embed(float[] pixels, int first, MemorySegment to);

    /** Bytes of the weights in the kernels' layout. */
    long bytes();

    /** Frees what the last image left; the next one takes new buffers. */
    void freeBuffers();

    @Override
    void close();

    static CpuPatchEmbedding of(VisionConfig config, CpuLoader loader, Kernels kernels) {
        return switch (ClipParameters.of(config).patchEmbedding()) {
            case ClipParameters.Patches patches -> new CpuPatches(config, patches.convolution(), loader, kernels);
            case ClipParameters.Stem stem -> new CpuStem(config, stem, loader, kernels);
        };
    }
}
