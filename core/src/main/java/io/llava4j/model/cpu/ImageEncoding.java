package io.llava4j.model.cpu;

import io.llava4j.DataException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One image on its way through vision tower and projector, some blocks at a time, so that other work goes on in between.
 * The result is the same to the last bit however often it pauses.
 */
public final class ImageEncoding {
    private final CpuImageEncoder encoder;
    private final float[] pixels;
    private int next;
    private @Nullable MemorySegment states;

    /** @param pixels normalised, {@code [3, size, size]} */
    public ImageEncoding(CpuImageEncoder encoder, float[] pixels) {
        this.encoder = encoder;
        this.pixels = pixels;
    }

    /**
     * Goes on for that long, by a block at least.
     *
     * @param nanos from now; {@link Long#MAX_VALUE} for the whole image
     * @return image tokens, {@code [tokens, hidden]}; null as long as blocks are left
     * @throws DataException if the image is not of the tower's size
     */
    public float @Nullable [] advance(long nanos) {
        long start = System.nanoTime();
        CpuClipTower tower = encoder.tower();
        if (states == null) {
            int size = tower.imageSize();
            if (pixels.length != 3 * size * size) {
                throw new DataException("an image has " + pixels.length + " values, but the model reads 3 x " + size
                        + " x " + size + "; prepare it with the model's own image processor");
            }
            states = tower.embed(pixels);
        }
        do {
            if (next == tower.blocks()) {
                return encoder.projector().project(tower.select(states));
            }
            tower.forward(next++, states);
        } while (System.nanoTime() - start < nanos);
        return null;
    }
}
