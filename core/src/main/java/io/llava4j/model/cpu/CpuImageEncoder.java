package io.llava4j.model.cpu;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;

/** Vision tower and projector on the CPU kernels, of a network or on their own. */
public record CpuImageEncoder(CpuClipTower tower, CpuProjector projector) implements AutoCloseable {
    /** Brings the weights of both into the kernels' layout. */
    public static CpuImageEncoder load(LlavaConfig config, CpuWeights weights) {
        Kernels kernels = Kernels.instance();
        Workers workers = Workers.shared();
        return new CpuImageEncoder(
                new CpuClipTower(config, weights, kernels, workers),
                new CpuProjector(config, weights, kernels, workers));
    }

    /**
     * Tower and projector of a network, which closes them.
     *
     * @throws IllegalArgumentException if they do not run on the CPU kernels
     */
    public static CpuImageEncoder of(LlavaModel model) {
        if (model.visionTower() instanceof CpuClipTower tower && model.projector() instanceof CpuProjector projector) {
            return new CpuImageEncoder(tower, projector);
        }
        throw new IllegalArgumentException("vision tower and projector do not run on the CPU kernels");
    }

    /** Bytes of the weights in the kernels' layout. */
    public long bytes() {
        return tower.bytes() + projector.bytes();
    }

    /** Frees what the last images left; the next ones take new buffers. */
    public void freeBuffers() {
        tower.freeBuffers();
    }

    @Override
    public void close() {
        tower.close();
        projector.close();
    }
}
