package io.llava4j.model.cpu;

import io.llava4j.ConfigException;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Hidden states of images on their way through a block of CLIP's tower (docs/reference/model.md#vision-tower), some whole
 * images at a time. Its buffers are reused until {@link #freeBuffers}, so one caller computes at a time.
 */
final class CpuClipPass {
    /** Enough to use each weight many times, few enough that the buffers stay small. */
    private static final int ROWS = 1024;

    private final VisionConfig config;
    private final boolean quick;
    private final Kernels kernels;
    private final Workers workers;
    private final RowMath math;
    private final CpuClipAttention attention;
    private final WorkMemory memory = new WorkMemory();
    private final Activations activations = new Activations(memory);
    private MemorySegment normed = MemorySegment.NULL;
    private MemorySegment queries = MemorySegment.NULL;
    private MemorySegment keys = MemorySegment.NULL;
    private MemorySegment values = MemorySegment.NULL;
    private MemorySegment inner = MemorySegment.NULL;
    private MemorySegment biases = MemorySegment.NULL;

    CpuClipPass(VisionConfig config, Kernels kernels, Workers workers) {
        this.config = config;
        this.quick = config.hiddenAct().equals("quick_gelu");
        this.kernels = kernels;
        this.workers = workers;
        this.math = new RowMath(kernels);
        this.attention = new CpuClipAttention(config.heads(), config.hiddenSize(), kernels, workers, memory);
    }

    /**
     * Passes images through a block.
     *
     * @param states {@code [images, positions, hidden]} floats off the heap, which the result replaces
     */
    synchronized void forward(CpuClipBlock block, MemorySegment states, int images, int positions) {
        int together = Math.max(1, ROWS / positions);
        long image = (long) positions * config.hiddenSize() * Float.BYTES;
        for (int first = 0; first < images; first += together) {
            int count = Math.min(together, images - first);
            part(block, states.asSlice(first * image, count * image), count, positions);
        }
    }

    /** Frees what the last images left; the next ones take new buffers. */
    synchronized void freeBuffers() {
        memory.close();
    }

    private void part(CpuClipBlock block, MemorySegment states, int images, int positions) {
        int rows = images * positions;
        int hidden = config.hiddenSize();
        reserve(rows);
        norm(block.norm1(), block.out().bias(), states, rows);
        multiply(block.query().weight(), queries);
        multiply(block.key().weight(), keys);
        multiply(block.value().weight(), values);
        attention.attend(block, images, positions, queries, keys, values);
        activations.set(queries, hidden, rows, hidden);
        kernels.multiplyAdd(block.out().weight(), activations, states, hidden, workers);
        norm(block.norm2(), block.fc2().bias(), states, rows);
        multiply(block.fc1().weight(), inner);
        activate(block.fc1().bias(), rows);
        activations.set(inner, config.intermediateSize(), rows, config.intermediateSize());
        kernels.multiplyAdd(block.fc2().weight(), activations, states, hidden, workers);
    }

    private void reserve(int rows) {
        long floats = (long) rows * config.hiddenSize();
        normed = memory.atLeast(normed, floats);
        queries = memory.atLeast(queries, floats);
        keys = memory.atLeast(keys, floats);
        values = memory.atLeast(values, floats);
        inner = memory.atLeast(inner, (long) rows * config.intermediateSize());
    }

    /**
     * Norms the states into the kernels' activations.
     *
     * @param bias of the layer whose product is added to the states next; it is added here
     */
    private void norm(CpuLayerNorm norm, float[] bias, MemorySegment states, int rows) {
        int width = config.hiddenSize();
        workers.run(rows, (row, worker) -> {
            float[] x = CpuPass.get(states, row, width);
            float[] y = new float[width];
            RowMath.layerNorm(x, norm.weight(), norm.bias(), config.layerNormEps(), y);
            CpuPass.put(y, normed, row);
            for (int i = 0; i < width; i++) {
                x[i] += bias[i];
            }
            CpuPass.put(x, states, row);
        });
        activations.set(normed, width, rows, width);
    }

    private void multiply(PackedMatrix weight, MemorySegment to) {
        kernels.multiply(weight, activations, to, weight.out(), workers);
    }

    private void activate(float[] bias, int rows) {
        int width = config.intermediateSize();
        if (quick) {
            biases = memory.atLeast(biases, width);
            MemorySegment.copy(bias, 0, biases, ValueLayout.JAVA_FLOAT, 0, width);
            MemorySegment added = biases.asSlice(0, (long) width * Float.BYTES);
            long bytes = (long) width * Float.BYTES;
            workers.run(rows, (row, worker) -> math.quickGelu(inner.asSlice(row * bytes, bytes), added));
            return;
        }
        if (!config.hiddenAct().equals("gelu")) {
            throw new ConfigException("activation '" + config.hiddenAct() + "' of a CLIP tower is unknown");
        }
        workers.run(rows, (row, worker) -> {
            float[] x = CpuPass.get(inner, row, width);
            RowMath.gelu(x, bias);
            CpuPass.put(x, inner, row);
        });
    }
}
