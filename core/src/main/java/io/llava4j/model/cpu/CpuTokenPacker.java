package io.llava4j.model.cpu;

import io.llava4j.model.config.FeatureStates;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TokenPackerParameters;
import io.llava4j.tensor.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;

/** What a TokenPacker computes before its MLP (docs/reference/model.md#tokenpacker), on the CPU kernels. */
final class CpuTokenPacker implements AutoCloseable {
    private final FeatureStates states;
    private final int edge;
    private final int grid;
    private final int width;
    private final int heads;
    private final CpuLinear query;
    private final List<CpuLinear> key;
    private final List<CpuLinear> value;
    private final CpuLayerNorm queryNorm;
    private final CpuLayerNorm keyNorm;
    private final CpuLayerNorm valueNorm;
    /** Of queries, keys and values. */
    private final List<CpuLinear> attention;

    private final CpuLinear out;

    /** @param edge of a square in patches */
    CpuTokenPacker(LlavaConfig config, int edge, CpuLoader loader) {
        this.states = config.featureStates();
        this.edge = edge;
        this.grid = config.vision().grid();
        this.width = config.vision().hiddenSize();
        TokenPackerParameters names = TokenPackerParameters.of(width);
        this.heads = names.heads();
        this.query = loader.linearWithoutBias(names.query());
        this.key = names.key().stream().map(loader::linear).toList();
        this.value = names.value().stream().map(loader::linear).toList();
        this.queryNorm = loader.layerNorm(names.queryNorm());
        this.keyNorm = loader.layerNorm(names.keyNorm());
        this.valueNorm = loader.layerNorm(names.valueNorm());
        this.attention = Stream.of(0, 1, 2)
                .map(part -> loader.part(names.attentionWeight(), names.attentionBias(), part, width))
                .toList();
        this.out = loader.linear(names.attentionOut());
    }

    /**
     * {@code [patches, states * hidden] -> [tokens, hidden]}, of any number of images.
     *
     * @param features of {@link FeatureStates}
     */
    MemorySegment attend(MemorySegment features, int tokens, CpuLinear.Place place) {
        int patches = tokens * edge * edge;
        MemorySegment levels = levels(features, patches, place);
        MemorySegment keys = projected(key, keyNorm, attention.get(1), levels, patches, place);
        MemorySegment values = projected(value, valueNorm, attention.get(2), levels, patches, place);
        MemorySegment middles = middles(features, tokens, place);
        MemorySegment queries = projected(List.of(query), queryNorm, attention.get(0), middles, tokens, place);
        place.workers().run(tokens, (token, worker) -> attend(token, queries, keys, values));
        return out.apply(queries, tokens, false, place);
    }

    /** What keys and values are made of, {@code [patches, 4 * hidden]}. */
    private MemorySegment levels(MemorySegment features, int patches, CpuLinear.Place place) {
        if (states.areLevels()) {
            return features;
        }
        int count = states.levels().size();
        MemorySegment levels = place.rows(patches, (long) count * width);
        place.workers().run(patches, (patch, worker) -> {
            for (int i = 0; i < count; i++) {
                CpuPass.put(state(features, patch, states.levels().get(i)), levels, patch * count + i);
            }
        });
        return levels;
    }

    /** A hidden state of a patch. */
    private float[] state(MemorySegment features, int patch, int index) {
        return CpuPass.get(features, patch * states.states().size() + index, width);
    }

    /** What bilinear resizing by a whole factor gives: a square's middle patch, or the mean of the four in its middle. */
    private MemorySegment middles(MemorySegment features, int tokens, CpuLinear.Place place) {
        MemorySegment middles = place.rows(tokens, width);
        int first = (edge - 1) / 2;
        int size = edge % 2 == 1 ? 1 : 2;
        place.workers().run(tokens, (token, worker) -> {
            float[] sum = new float[width];
            for (int i = 0; i < size * size; i++) {
                int patch = (first + i / size) * edge + first + i % size;
                float[] x = state(features, CpuProjector.patchOf(token, patch, edge, grid), states.selected());
                for (int at = 0; at < width; at++) {
                    sum[at] += x[at] / (size * size);
                }
            }
            CpuPass.put(sum, middles, token);
        });
        return middles;
    }

    /** Linear layers with a GELU between them, LayerNorm, and attention's own linear layer. */
    private MemorySegment projected(
            List<CpuLinear> layers,
            CpuLayerNorm norm,
            CpuLinear last,
            MemorySegment x,
            int rows,
            CpuLinear.Place place) {
        MemorySegment y = x;
        for (int i = 0; i < layers.size(); i++) {
            y = layers.get(i).apply(y, rows, i < layers.size() - 1, place);
        }
        MemorySegment normed = y;
        place.workers().run(rows, (row, worker) -> {
            float[] values = CpuPass.get(normed, row, width);
            float[] result = new float[width];
            RowMath.layerNorm(values, norm.weight(), norm.bias(), TokenPackerParameters.EPSILON, result);
            CpuPass.put(result, normed, row);
        });
        return last.apply(normed, rows, false, place);
    }

    /** Attention of a token to the patches of its square, which takes the place of its query. */
    private void attend(int token, MemorySegment queries, MemorySegment keys, MemorySegment values) {
        int count = edge * edge;
        int d = width / heads;
        float[] q = CpuPass.get(queries, token, width);
        float[][] weights = new float[heads][count];
        for (int patch = 0; patch < count; patch++) {
            float[] k = CpuPass.get(keys, CpuProjector.patchOf(token, patch, edge, grid), width);
            for (int head = 0; head < heads; head++) {
                double score = 0;
                for (int i = head * d; i < (head + 1) * d; i++) {
                    score += (double) q[i] * k[i];
                }
                weights[head][patch] = (float) (score / Math.sqrt(d));
            }
        }
        for (float[] scores : weights) {
            softmax(scores);
        }
        float[] result = new float[width];
        for (int patch = 0; patch < count; patch++) {
            float[] v = CpuPass.get(values, CpuProjector.patchOf(token, patch, edge, grid), width);
            for (int i = 0; i < width; i++) {
                result[i] += weights[i / d][patch] * v[i];
            }
        }
        CpuPass.put(result, queries, token);
    }

    private static void softmax(float[] scores) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float score : scores) {
            largest = Math.max(largest, score);
        }
        double sum = 0;
        for (float score : scores) {
            sum += Math.exp(score - largest);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (Math.exp(scores[i] - largest) / sum);
        }
    }

    private Stream<CpuLinear> layers() {
        return Stream.of(List.of(query, out), key, value, attention).flatMap(List::stream);
    }

    /** Bytes of the weights in the kernels' layout. */
    long bytes() {
        return layers().mapToLong(layer -> layer.weight().bytes()).sum();
    }

    @Override
    public void close() {
        layers().forEach(CpuLinear::close);
    }
}
