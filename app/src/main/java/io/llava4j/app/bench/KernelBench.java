package io.llava4j.app.bench;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Speed of products with packed weights, by format and implementation: with one column the bytes of weights per second,
 * beside a plain read of the same memory; with many columns the operations per second. All that is compared runs in turns,
 * so that another load meets all of it.
 */
public final class KernelBench {
    /** Weights that are passed through, so that no cache holds them. */
    private static final long WEIGHT_BYTES = 600_000_000;

    private static final List<BlockFormat> FORMATS = List.of(
            BlockFormat.Q4_0,
            BlockFormat.Q4_1,
            BlockFormat.Q4_K,
            BlockFormat.Q5_0,
            BlockFormat.Q5_1,
            BlockFormat.Q5_K,
            BlockFormat.Q6_K,
            BlockFormat.Q8_0,
            BlockFormat.BF16,
            BlockFormat.F16,
            BlockFormat.F32);

    private final int rows;
    private final int in;
    private final int columns;
    private final int rounds;
    private final Workers workers = Workers.shared();

    private KernelBench(int rows, int in, int columns, int rounds) {
        this.rows = rows;
        this.in = in;
        this.columns = columns;
        this.rounds = rounds;
    }

    /**
     * Measures and prints a table.
     *
     * @param in a multiple of 256
     * @param formats what to measure; all if empty
     * @param measured implementations
     * @param rounds of which the median is printed
     */
    public static void run(
            PrintWriter out,
            int rows,
            int in,
            int columns,
            List<BlockFormat> formats,
            List<Kernels> measured,
            int rounds) {
        out.printf(
                "weights [%d, %d], %d threads; medians of %d rounds%n",
                rows, in, Workers.shared().count(), rounds);
        out.printf(
                "%-6s %-7s %11s %11s %7s %14s%n",
                "format", "kernels", "read GB/s", "1 column", "share", columns + " columns");
        for (BlockFormat format : formats.isEmpty() ? FORMATS : formats) {
            new KernelBench(rows, in, columns, rounds).measure(out, format, measured);
        }
    }

    /** All implementations that this machine offers; the scalar one only where there is no other. */
    public static List<Kernels> fast() {
        List<Kernels> fast = Arrays.stream(Kernels.values())
                .filter(each -> each != Kernels.SCALAR && each.isAvailable())
                .toList();
        return fast.isEmpty() ? List.of(Kernels.SCALAR) : fast;
    }

    private void measure(PrintWriter out, BlockFormat format, List<Kernels> measured) {
        List<PackedMatrix> copies = new ArrayList<>();
        try (Arena arena = Arena.ofShared();
                WorkMemory memory = new WorkMemory()) {
            MemorySegment weights = weights(format);
            do {
                copies.add(PackedMatrix.pack(format, weights, rows, in, workers));
            } while (copies.size() * copies.getFirst().bytes() < WEIGHT_BYTES);
            MemorySegment x = arena.allocate((long) columns * in * Float.BYTES, 64);
            for (int i = 0; i < columns * in; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 1009 * 7919 % 1009 - 504) / 97f);
            }
            Activations activations = new Activations(memory); // reused, as a model does
            MemorySegment y = arena.allocate((long) columns * rows * Float.BYTES, 64);
            List<Runnable> tasks = new ArrayList<>();
            for (Kernels kernels : measured) {
                tasks.add(() -> copies.forEach(w -> kernels.read(w, workers)));
                tasks.add(() -> copies.forEach(w -> multiply(kernels, w, activations, x, 1, y)));
                tasks.add(() -> multiply(kernels, copies.getFirst(), activations, x, columns, y));
            }
            double[] seconds = medians(tasks);
            double gigabytes = copies.size() * copies.getFirst().bytes() / 1e9;
            for (int i = 0; i < measured.size(); i++) {
                double read = gigabytes / seconds[3 * i];
                double single = gigabytes / seconds[3 * i + 1];
                double operations = 2.0 * rows * in * columns / seconds[3 * i + 2];
                out.printf(
                        Locale.ROOT,
                        "%-6s %-7s %11.1f %11.1f %6.0f%% %8.0f GFLOP/s%n",
                        format,
                        measured.get(i).option(),
                        read,
                        single,
                        100 * single / read,
                        operations / 1e9);
            }
            out.flush();
        } finally {
            copies.forEach(PackedMatrix::close);
        }
    }

    private void multiply(
            Kernels kernels, PackedMatrix w, Activations activations, MemorySegment x, int count, MemorySegment y) {
        activations.set(x, in, count, in);
        kernels.multiply(w, activations, y, rows, workers);
    }

    /** Any bytes are weights; these are moderate numbers in every type, as subnormal ones would take far longer. */
    private MemorySegment weights(BlockFormat format) {
        byte[] bytes = new byte[Math.toIntExact(format.bytes((long) rows * in))];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (48 + i * 7919L % 1009 % 15);
        }
        return MemorySegment.ofArray(bytes);
    }

    private double[] medians(List<Runnable> tasks) {
        double[][] seconds = new double[tasks.size()][rounds];
        for (int round = -1; round < rounds; round++) {
            for (int i = 0; i < tasks.size(); i++) {
                long begin = System.nanoTime();
                tasks.get(i).run();
                if (round >= 0) {
                    seconds[i][round] = (System.nanoTime() - begin) / 1e9;
                }
            }
        }
        return Arrays.stream(seconds)
                .mapToDouble(each -> Arrays.stream(each).sorted().toArray()[rounds / 2])
                .toArray();
    }
}
