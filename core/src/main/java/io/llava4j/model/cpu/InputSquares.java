package io.llava4j.model.cpu;

import io.llava4j.DataException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Mean squares of what each matrix of a language model multiplies, by column: how much an error in a column of the matrix
 * costs in its output. Collected while prompts are read ({@link CpuLlamaModel#observe}).
 */
public final class InputSquares {
    private final Map<String, double[]> sums = new LinkedHashMap<>();
    private final Map<String, Long> rows = new HashMap<>();

    /** Adds rows that the matrix of that name multiplies, {@code [count, in]} floats. */
    void add(String weight, MemorySegment x, int count, int in) {
        double[] sum = sums.computeIfAbsent(weight, name -> new double[in]);
        for (int row = 0; row < count; row++) {
            for (int i = 0; i < in; i++) {
                double value = x.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * in + i);
                sum[i] += value * value;
            }
        }
        rows.merge(weight, (long) count, Long::sum);
    }

    /**
     * The means, {@code [in]} of each matrix, by canonical name.
     *
     * @throws DataException if an input was NaN or infinite
     */
    public Map<String, float[]> means() {
        Map<String, float[]> means = new LinkedHashMap<>();
        sums.forEach((name, sum) -> {
            float[] mean = new float[sum.length];
            for (int i = 0; i < mean.length; i++) {
                mean[i] = (float) (sum[i] / rows.getOrDefault(name, 1L));
                if (!Float.isFinite(mean[i])) {
                    throw new DataException(
                            "%s multiplies NaN or infinity in column %d while the calibration prompts are read; look for damaged weights with inspect --check"
                                    .formatted(name, i));
                }
            }
            means.put(name, mean);
        });
        return means;
    }
}
