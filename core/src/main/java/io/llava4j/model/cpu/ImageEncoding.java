package io.llava4j.model.cpu;

import io.llava4j.DataException;
import io.llava4j.image.tile.ImageDigest;
import io.llava4j.image.tile.PreparedImage;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One image on its way through vision tower and projector, some blocks at a time, so that other work goes on in between.
 * The result is the same to the last bit however often it pauses.
 */
public final class ImageEncoding {
    private final CpuImageEncoder encoder;
    private final PreparedImage image;
    private final float[][] projected;
    private final @Nullable FeatureMemory memory;
    private final @Nullable ImageDigest digest;
    private int view;
    private int next;
    private @Nullable MemorySegment states;
    private MemorySegment features = MemorySegment.NULL;

    /** An encoding that has yet to begin. */
    public ImageEncoding(CpuImageEncoder encoder, PreparedImage image) {
        this.encoder = encoder;
        this.image = image;
        this.projected = new float[image.order().views()][];
        this.memory = encoder.tower().memory();
        this.digest = memory == null ? null : ImageDigest.of(image);
    }

    /**
     * Goes on for that long, by a block at least.
     *
     * @param nanos from now; {@link Long#MAX_VALUE} for the whole image
     * @return image tokens, {@code [tokens, hidden]}; null as long as blocks are left
     * @throws DataException if the image's views are not of the tower's size
     */
    public float @Nullable [] advance(long nanos) {
        long start = System.nanoTime();
        CpuClipTower tower = encoder.tower();
        do {
            MemorySegment known = states == null ? known() : null;
            if (known != null) {
                features = known;
            } else {
                if (states == null) {
                    states = tower.embed(pixels());
                    features = tower.take(0, states, MemorySegment.NULL);
                }
                if (next < tower.blocks()) {
                    tower.forward(next++, states);
                    features = tower.take(next, states, features);
                    continue;
                }
                keep();
            }
            projected[view++] = encoder.projector().project(features);
            states = null;
            next = 0;
            if (view == projected.length) {
                return encoder.projector().arrange(ofAllViews(), image.order());
            }
        } while (System.nanoTime() - start < nanos);
        return null;
    }

    private @Nullable MemorySegment known() {
        return memory == null || digest == null ? null : memory.find(digest, view);
    }

    private void keep() {
        if (memory != null && digest != null) {
            memory.put(digest, view, features);
        }
    }

    private float[] pixels() {
        image.requireViewsOf(encoder.tower().imageSize());
        int each = image.pixels().length / projected.length;
        return projected.length == 1
                ? image.pixels()
                : Arrays.copyOfRange(image.pixels(), view * each, (view + 1) * each);
    }

    private float[] ofAllViews() {
        if (projected.length == 1) {
            return projected[0];
        }
        int each = projected[0].length;
        float[] all = new float[Math.multiplyExact(projected.length, each)];
        for (int i = 0; i < projected.length; i++) {
            System.arraycopy(projected[i], 0, all, i * each, each);
        }
        return all;
    }
}
