package io.llava4j.model;

import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One image on its way through vision tower and projector, some blocks at a time, so that other work goes on in between.
 * The result is that of {@link LlavaModel#encode} with this image alone, to the last bit.
 */
public final class ImageEncoding {
    private final LlavaModel model;
    private final float[] pixels;
    private int next;
    private float[] states = {};
    private long[] shape = {};

    /** @param pixels normalised, {@code [3, size, size]} */
    public ImageEncoding(LlavaModel model, float[] pixels) {
        this.model = model;
        this.pixels = pixels;
    }

    /**
     * Goes on for that long, by a block at least.
     *
     * @param nanos from now; {@link Long#MAX_VALUE} for the whole image
     * @return image tokens, {@code [tokens, hidden]}; null as long as blocks are left
     * @throws io.llava4j.DataException if the image is not of the tower's size
     */
    public float @Nullable [] advance(long nanos) {
        long start = System.nanoTime();
        return Engine.inference("the vision tower", () -> {
            VisionTower tower = model.visionTower();
            Tensor x = next == 0 ? tower.embed(model.pixels(List.of(pixels))) : Tensors.of(states, shape);
            do {
                if (next == tower.blocks()) {
                    return Tensors.toFloats(model.projector().forward(tower.select(x)));
                }
                x = tower.forward(next++, x);
            } while (System.nanoTime() - start < nanos);
            shape = Tensors.shape(x);
            states = Tensors.toFloats(x);
            return null;
        });
    }
}
