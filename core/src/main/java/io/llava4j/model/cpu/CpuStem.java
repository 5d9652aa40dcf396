package io.llava4j.model.cpu;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A convolutional stem ({@link ClipParameters.Stem}) on the kernels. Maps lie as {@code [y, x, channel]}, so that what a kernel of 3x3
 * reads is nine copies.
 */
final class CpuStem implements CpuPatchEmbedding {
    private static final int KERNEL = 3;

    private final int size;
    private final List<Stage> stages = new ArrayList<>();
    private final PackedMatrix projection;
    private final Kernels kernels;
    private final Workers workers;
    private final WorkMemory memory = new WorkMemory();
    private final Activations activations = new Activations(memory);
    private MemorySegment columns = MemorySegment.NULL;
    private MemorySegment products = MemorySegment.NULL;

    private record Stage(CpuLinear down, CpuLayerNorm norm1, CpuLinear conv1, CpuLayerNorm norm2, CpuLinear conv2) {
        List<CpuLinear> layers() {
            return List.of(down, conv1, conv2);
        }
    }

    /** A square map {@code [edge, edge, channels]}. */
    private record Feature(float[] values, int edge, int channels) {}

    CpuStem(VisionConfig config, ClipParameters.Stem names, CpuLoader loader, Kernels kernels) {
        this.size = config.imageSize();
        this.kernels = kernels;
        this.workers = loader.workers();
        for (ClipParameters.Stage stage : names.stages()) {
            stages.add(new Stage(
                    convolution(stage.down(), loader),
                    loader.layerNorm(stage.norm1()),
                    convolution(stage.conv1(), loader),
                    loader.layerNorm(stage.norm2()),
                    convolution(stage.conv2(), loader)));
        }
        this.projection = loader.matrix(names.projection());
    }

    /** The kernel with its channels last: {@code [out, y, x, in]}. */
    private static CpuLinear convolution(Parameters.Convolution names, CpuLoader loader) {
        int out = Math.toIntExact(names.out());
        int in = Math.toIntExact(names.in());
        int area = KERNEL * KERNEL;
        float[] stored = loader.weights().vector(names.prefix() + "weight", (long) out * in * area);
        float[] rows = new float[stored.length];
        for (int row = 0; row < out; row++) {
            for (int channel = 0; channel < in; channel++) {
                for (int at = 0; at < area; at++) {
                    rows[(row * area + at) * in + channel] = stored[(row * in + channel) * area + at];
                }
            }
        }
        PackedMatrix weight =
                PackedMatrix.pack(BlockFormat.F32, MemorySegment.ofArray(rows), out, in * area, loader.workers());
        return new CpuLinear(weight, loader.weights().vector(names.prefix() + "bias", out));
    }

    @Override
    public void embed(float[] pixels, int first, MemorySegment to) {
        Feature x = new Feature(channelsLast(pixels, first), size, 3);
        for (Stage stage : stages) {
            x = convolve(x, stage.down(), 2);
            Feature h = convolve(normed(x, stage.norm1()), stage.conv1(), 1);
            h = convolve(normed(h, stage.norm2()), stage.conv2(), 1);
            for (int i = 0; i < h.values().length; i++) {
                x.values()[i] += h.values()[i];
            }
        }
        float[] values = x.values();
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.max(0, values[i]);
        }
        columns = memory.atLeast(columns, values.length);
        MemorySegment.copy(values, 0, columns, ValueLayout.JAVA_FLOAT, 0, values.length);
        activations.set(columns, x.channels(), x.edge() * x.edge(), x.channels());
        kernels.multiply(projection, activations, to, projection.out(), workers);
    }

    private float[] channelsLast(float[] pixels, int first) {
        int area = size * size;
        float[] values = new float[3 * area];
        for (int i = 0; i < area; i++) {
            for (int channel = 0; channel < 3; channel++) {
                values[3 * i + channel] = pixels[first + channel * area + i];
            }
        }
        return values;
    }

    /** A convolution with a margin of one zero. */
    private Feature convolve(Feature x, CpuLinear layer, int stride) {
        int edge = (x.edge() - 1) / stride + 1;
        int in = layer.weight().in();
        int out = layer.weight().out();
        columns = memory.atLeast(columns, (long) edge * edge * in);
        products = memory.atLeast(products, (long) edge * edge * out);
        workers.run(edge, (row, worker) -> {
            float[] line = columns(x, row, edge, stride);
            MemorySegment.copy(
                    line, 0, columns, ValueLayout.JAVA_FLOAT, (long) row * line.length * Float.BYTES, line.length);
        });
        activations.set(columns, in, edge * edge, in);
        kernels.multiply(layer.weight(), activations, products, out, workers);
        float[] values = new float[edge * edge * out];
        MemorySegment.copy(products, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
        for (int position = 0; position < edge * edge; position++) {
            for (int channel = 0; channel < out; channel++) {
                values[position * out + channel] += layer.bias()[channel];
            }
        }
        return new Feature(values, edge, out);
    }

    /** What the kernel reads for a row of the result: {@code [edge, y, x, channel]}. */
    private static float[] columns(Feature x, int row, int edge, int stride) {
        int channels = x.channels();
        float[] line = new float[edge * KERNEL * KERNEL * channels];
        int to = 0;
        for (int column = 0; column < edge; column++) {
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++, to += channels) {
                    int fromY = row * stride + dy;
                    int fromX = column * stride + dx;
                    if (fromY >= 0 && fromY < x.edge() && fromX >= 0 && fromX < x.edge()) {
                        System.arraycopy(x.values(), (fromY * x.edge() + fromX) * channels, line, to, channels);
                    }
                }
            }
        }
        return line;
    }

    /** Group norm and ReLU. */
    private Feature normed(Feature x, CpuLayerNorm norm) {
        float[] values = new float[x.values().length];
        workers.run(
                x.channels() / ClipParameters.Stem.GROUP_CHANNELS,
                (group, worker) -> normGroup(x, norm, group * ClipParameters.Stem.GROUP_CHANNELS, values));
        return new Feature(values, x.edge(), x.channels());
    }

    private static void normGroup(Feature x, CpuLayerNorm norm, int first, float[] to) {
        int last = first + ClipParameters.Stem.GROUP_CHANNELS;
        int positions = x.edge() * x.edge();
        double count = (double) positions * ClipParameters.Stem.GROUP_CHANNELS;
        double sum = 0;
        double squares = 0;
        for (int position = 0; position < positions; position++) {
            for (int channel = first; channel < last; channel++) {
                double value = x.values()[position * x.channels() + channel];
                sum += value;
                squares += value * value;
            }
        }
        double mean = sum / count;
        double scale = 1 / Math.sqrt(Math.max(0, squares / count - mean * mean) + ClipParameters.Stem.EPSILON);
        for (int position = 0; position < positions; position++) {
            for (int channel = first; channel < last; channel++) {
                int at = position * x.channels() + channel;
                float value = (float) ((x.values()[at] - mean) * scale);
                to[at] = Math.max(0, value * norm.weight()[channel] + norm.bias()[channel]);
            }
        }
    }

    @Override
    public long bytes() {
        return projection.bytes()
                + stages.stream()
                        .flatMap(stage -> stage.layers().stream())
                        .mapToLong(layer -> layer.weight().bytes())
                        .sum();
    }

    @Override
    public void freeBuffers() {
        memory.close();
    }

    @Override
    public void close() {
        memory.close();
        projection.close();
        stages.forEach(stage -> stage.layers().forEach(CpuLinear::close));
    }
}
