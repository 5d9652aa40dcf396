package io.llava4j.tensor.kernel;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Softmax down the columns of a matrix, {@value #COLUMNS} columns at a time, without its division: the columns stay in the
 * lanes of the registers, and the result is a tile that {@link FloatTiles} multiplies.
 */
public final class ColumnSoftmax {
    /** Columns of a call. */
    public static final int COLUMNS = 32;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS));

    // Arguments of the code, in this order; RowCode's constants are in the register that it expects.
    private static final int X = Assembler.RDI;
    private static final int OUT = Assembler.RSI;
    private static final int ROWS = Assembler.RDX;
    private static final int STRIDE = Assembler.R8;
    private static final int SUMS = Assembler.R9;
    private static final int ROW = Assembler.RAX;
    private static final int COUNT = Assembler.R10;

    /** First of the registers of largest scores, then of sums. */
    private static final int LANES = 5;

    private final @Nullable MemorySegment code;

    /** @param kernels whose machine code runs the loops, where they have any */
    public ColumnSoftmax(Kernels kernels) {
        this.code = kernels.kernel() instanceof CodeKernel machine ? Pages.executable(code(machine.isWide())) : null;
    }

    /**
     * Computes {@code out[row, column] = exp(x[row, column] - largest of the column)}, and the sum of each column of
     * {@code out}, in the order of the rows.
     *
     * @param x {@code [rows, COLUMNS]} floats, off the heap
     * @param stride floats from a row of {@code x} to the next
     * @param rows at least 1
     * @param out {@code [rows, COLUMNS]} floats, off the heap
     * @param sums {@code [COLUMNS]} floats, off the heap
     * @throws IllegalArgumentException if sizes do not fit
     */
    public void exponentials(MemorySegment x, long stride, int rows, MemorySegment out, MemorySegment sums) {
        if (rows < 1
                || stride < COLUMNS
                || x.byteSize() < ((rows - 1) * stride + COLUMNS) * Float.BYTES
                || out.byteSize() < (long) rows * COLUMNS * Float.BYTES
                || sums.byteSize() < COLUMNS * Float.BYTES
                || !(x.isNative() && out.isNative() && sums.isNative())) {
            throw new IllegalArgumentException("%d rows at a distance of %d; %d, %d and %d bytes"
                    .formatted(rows, stride, x.byteSize(), out.byteSize(), sums.byteSize()));
        }
        if (code == null) {
            for (int column = 0; column < COLUMNS; column++) {
                exponentials(x, stride, rows, out, sums, column);
            }
            return;
        }
        try {
            CALL.invokeExact(code, x, out, (long) rows, RowCode.NUMBERS, stride * Float.BYTES, sums);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void exponentials(
            MemorySegment x, long stride, int rows, MemorySegment out, MemorySegment sums, int column) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int row = 0; row < rows; row++) {
            largest = Math.max(largest, x.getAtIndex(FLOAT, row * stride + column));
        }
        float sum = 0;
        for (int row = 0; row < rows; row++) {
            float value = Exponential.of(x.getAtIndex(FLOAT, row * stride + column) - largest);
            out.setAtIndex(FLOAT, (long) row * COLUMNS + column, value);
            sum += value;
        }
        sums.setAtIndex(FLOAT, column, sum);
    }

    private static byte[] code(boolean wide) {
        int vectors = wide ? 2 : 4;
        int bytes = COLUMNS * Float.BYTES / vectors;
        Assembler asm = RowCode.start(wide);
        asm.move(ROW, X);
        asm.move(COUNT, ROWS);
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.LOAD, LANES + vector, 0, ROW, vector * bytes);
        }
        int largest = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.MAXIMUM, LANES + vector, LANES + vector, ROW, vector * bytes);
        }
        asm.add(ROW, STRIDE);
        asm.loop(COUNT, largest);
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.STORE, LANES + vector, 0, SUMS, vector * bytes);
            asm.registers(Assembler.XOR, LANES + vector, LANES + vector, LANES + vector);
        }
        int exponentials = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.LOAD, RowCode.X, 0, X, vector * bytes);
            asm.memory(Assembler.SUBTRACT_FLOATS, RowCode.X, RowCode.X, SUMS, vector * bytes);
            RowCode.exponential(asm);
            asm.memory(Assembler.STORE, RowCode.SUM, 0, OUT, vector * bytes);
            asm.registers(Assembler.ADD_FLOATS, LANES + vector, LANES + vector, RowCode.SUM);
        }
        asm.add(X, STRIDE);
        asm.addConstant(OUT, COLUMNS * Float.BYTES);
        asm.loop(ROWS, exponentials);
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.STORE, LANES + vector, 0, SUMS, vector * bytes);
        }
        return asm.finish();
    }
}
