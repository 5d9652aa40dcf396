package io.llava4j.model.cpu;

import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.model.Projector;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The projector on the CPU kernels, in the type that its weights have in the file (docs/reference/model.md#projector). A
 * token does not depend on the others, to the last bit.
 */
public final class CpuProjector implements Projector {
    private final ProjectorType type;
    private final int grid;
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
        this.width = config.vision().hiddenSize();
        this.textWidth = config.text().hiddenSize();
        this.type = ProjectorType.parse(config.projectorType());
        this.grid = config.vision().grid();
        this.layers = type.layers(width, textWidth).stream().map(loader::linear).toList();
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
     * @param features {@code [features, vision hidden]} floats off the heap
     * @return {@code [tokens, text hidden]}
     */
    public float[] project(MemorySegment features) {
        int rows = Math.toIntExact(features.byteSize() / Float.BYTES / width) / type.patchesPerToken();
        try (WorkMemory memory = new WorkMemory()) {
            MemorySegment x = type.reduces() ? reduce(features, rows, memory) : features;
            for (int i = 0; i < layers.size(); i++) {
                x = apply(layers.get(i), x, rows, i < layers.size() - 1, memory);
            }
            return x.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** What the linear layers read: squares row by row over an image, patches row by row within a square. */
    private MemorySegment reduce(MemorySegment features, int tokens, WorkMemory memory) {
        int edge = type.edge();
        int squares = grid / edge;
        int wide = Math.toIntExact(type.inputWidth(width));
        boolean pools = type.reduction() == ProjectorType.Reduction.AVG_POOL;
        long floats = (long) tokens * wide;
        MemorySegment y = memory.atLeast(MemorySegment.NULL, floats).asSlice(0, floats * Float.BYTES);
        workers.run(tokens, (token, worker) -> {
            float[] values = new float[wide];
            int row = token / squares * edge; // images follow each other, so rows of later ones go on counting
            int column = token % squares * edge;
            for (int patch = 0; patch < edge * edge; patch++) {
                float[] x = CpuPass.get(features, (row + patch / edge) * grid + column + patch % edge, width);
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

    private MemorySegment apply(CpuLinear layer, MemorySegment x, int rows, boolean activated, WorkMemory memory) {
        int in = layer.weight().in();
        int out = layer.weight().out();
        long floats = (long) rows * out;
        MemorySegment y = memory.atLeast(MemorySegment.NULL, floats).asSlice(0, floats * Float.BYTES);
        Activations activations = new Activations(memory);
        activations.set(x, in, rows, in);
        kernels.multiply(layer.weight(), activations, y, out, workers);
        workers.run(rows, (row, worker) -> {
            float[] values = CpuPass.get(y, row, out);
            if (activated) {
                RowMath.gelu(values, layer.bias());
            } else {
                for (int i = 0; i < out; i++) {
                    values[i] += layer.bias()[i];
                }
            }
            CpuPass.put(values, y, row);
        });
        return y;
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
        return layers.stream().mapToLong(layer -> layer.weight().bytes()).sum();
    }

    @Override
    public void close() {
        layers.forEach(CpuLinear::close);
    }
}
