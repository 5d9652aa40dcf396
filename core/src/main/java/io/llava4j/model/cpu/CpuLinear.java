package io.llava4j.model.cpu;

import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;

/** A linear layer in the kernels' layout. */
record CpuLinear(PackedMatrix weight, float[] bias) implements AutoCloseable {
    /**
     * Who computes, and where results lie.
     *
     * @param memory of the results
     */
    record Place(Kernels kernels, Workers workers, WorkMemory memory) {
        /** New memory for {@code [rows, width]} floats. */
        MemorySegment rows(long rows, long width) {
            long floats = rows * width;
            return memory.atLeast(MemorySegment.NULL, floats).asSlice(0, floats * Float.BYTES);
        }
    }

    /**
     * {@code [rows, in] -> [rows, out]}.
     *
     * @param activated whether GELU follows
     */
    MemorySegment apply(MemorySegment x, int rows, boolean activated, Place place) {
        int in = weight.in();
        int out = weight.out();
        MemorySegment y = place.rows(rows, out);
        Activations activations = new Activations(place.memory());
        activations.set(x, in, rows, in);
        place.kernels().multiply(weight, activations, y, out, place.workers());
        place.workers().run(rows, (row, worker) -> {
            float[] values = CpuPass.get(y, row, out);
            if (activated) {
                RowMath.gelu(values, bias);
            } else {
                for (int i = 0; i < out; i++) {
                    values[i] += bias[i];
                }
            }
            CpuPass.put(values, y, row);
        });
        return y;
    }

    @Override
    public void close() {
        weight.close();
    }
}
