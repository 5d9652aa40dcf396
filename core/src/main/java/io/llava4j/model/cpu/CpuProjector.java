package io.llava4j.model.cpu;

import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.model.Projector;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The projector on the CPU kernels, in the type that its weights have in the file (docs/reference/model.md#projector). A
 * token does not depend on the others, to the last bit.
 */
public final class CpuProjector implements Projector {
    private final ProjectorType type;
    private final int grid;
    private final @Nullable CpuTokenPacker packer;
    private final List<CpuLinear> layers;
    private final float[] rowEnd;
    private final int width;
    private final int textWidth;
    private final Kernels kernels;
    private final Workers workers;

    /**
     * Brings the weights into the kernels' layout.
     *
     * @param weights tensors of the layers of {@link ProjectorType}
     */
    public CpuProjector(LlavaConfig config, CpuWeights weights, Kernels kernels, Workers workers) {
        CpuLoader loader = new CpuLoader(weights, workers);
        int hidden = config.vision().hiddenSize();
        this.width = config.featureWidth();
        this.textWidth = config.text().hiddenSize();
        this.type = ProjectorType.parse(config.projectorType());
        this.grid = config.vision().grid();
        this.packer = type.reduction() == ProjectorType.Reduction.TOKEN_PACKER
                ? new CpuTokenPacker(config, type.edge(), loader)
                : null;
        this.layers =
                type.layers(hidden, textWidth).stream().map(loader::linear).toList();
        this.rowEnd = config.hasRowEnd() ? weights.vector(ProjectorType.ROW_END, textWidth) : new float[0];
        this.kernels = kernels;
        this.workers = workers;
    }

    /**
     * Tokens of an image.
     *
     * @param projected features of its views, {@code [features, text hidden]}
     * @return {@code [tokens, text hidden]}
     */
    float[] arrange(float[] projected, FeatureOrder order) {
        return order.arrange(projected, textWidth, rowEnd);
    }

    /**
     * Image features to image tokens.
     *
     * @param features {@code [features, feature width]} floats off the heap
     * @return {@code [tokens, text hidden]}
     */
    public float[] project(MemorySegment features) {
        int rows = Math.toIntExact(features.byteSize() / Float.BYTES / width) / type.patchesPerToken();
        try (WorkMemory memory = new WorkMemory()) {
            CpuLinear.Place place = new CpuLinear.Place(kernels, workers, memory);
            MemorySegment x = switch (type.reduction()) {
                case NONE -> features;
                case AVG_POOL, PIXEL_SHUFFLE -> reduce(features, rows, place);
                case TOKEN_PACKER -> Objects.requireNonNull(packer).attend(features, rows, place);
            };
            for (int i = 0; i < layers.size(); i++) {
                x = layers.get(i).apply(x, rows, i < layers.size() - 1, place);
            }
            return x.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** What the linear layers read: squares row by row over an image, patches row by row within a square. */
    private MemorySegment reduce(MemorySegment features, int tokens, CpuLinear.Place place) {
        int edge = type.edge();
        int wide = Math.toIntExact(type.inputWidth(width));
        boolean pools = type.reduction() == ProjectorType.Reduction.AVG_POOL;
        MemorySegment y = place.rows(tokens, wide);
        workers.run(tokens, (token, worker) -> {
            float[] values = new float[wide];
            for (int patch = 0; patch < edge * edge; patch++) {
                float[] x = CpuPass.get(features, patchOf(token, patch, edge, grid), width);
                for (int i = 0; i < width; i++) {
                    values[pools ? i : patch * width + i] += x[i];
                }
            }
            for (int i = 0; pools && i < width; i++) {
                values[i] /= edge * edge;
            }
            CpuPass.put(values, y, token);
        });
        return y;
    }

    /**
     * Where a patch of a square is among the features. Images follow each other, so rows of later ones go on counting.
     *
     * @param square row by row over an image
     * @param patch row by row within the square
     * @param grid patches in a row of an image
     */
    static int patchOf(int square, int patch, int edge, int grid) {
        int squares = grid / edge;
        int row = square / squares * edge + patch / edge;
        return row * grid + square % squares * edge + patch % edge;
    }

    @Override
    public Tensor forward(Tensor features) {
        long[] shape = Tensors.shape(features);
        Tensor x = features.contiguous();
        float[] tokens = project(Tensors.memory(x));
        shape[1] /= type.patchesPerToken();
        shape[2] = tokens.length / (shape[0] * shape[1]);
        return Tensors.of(tokens, shape);
    }

    @Override
    public Tensor rowEnd() {
        if (rowEnd.length == 0) {
            throw new IllegalStateException("the model has no row-end token");
        }
        return Tensors.of(rowEnd, rowEnd.length);
    }

    /** Bytes of the weights in the kernels' layout. */
    public long bytes() {
        return layers.stream().mapToLong(layer -> layer.weight().bytes()).sum() + (packer == null ? 0 : packer.bytes());
    }

    @Override
    public void close() {
        layers.forEach(CpuLinear::close);
        if (packer != null) {
            packer.close();
        }
    }
}
