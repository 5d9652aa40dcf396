package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The loops of {@link RowMath} in machine code, over whole vectors of 16 floats. Functions take the addresses of a row, of a
 * second operand and of the constants, and the count of vectors.
 */
final class RowCode {
    /** Floats of a step of every loop, whatever the width of the registers. */
    static final int STEP = 16;

    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));

    private static final int ROW = Assembler.RDI;
    private static final int OTHER = Assembler.RSI;
    private static final int COUNT = Assembler.RDX;
    private static final int CONSTANTS = Assembler.RCX;

    // Registers of constants, the same in all functions.
    private static final int LEAST = 15;
    private static final int LARGEST = 14;
    private static final int LOG2_E = 13;
    private static final int ROUNDING = 12;
    private static final int LN2_HIGH = 11;
    private static final int LN2_LOW = 10;

    static final int X = 0;
    private static final int ROUNDED = 1;
    private static final int POWER = 2;
    static final int SUM = 3;
    private static final int SCRATCH = 4;
    private static final int SUMS = 6;
    private static final int OPERAND = 8;

    private static final int POLYNOMIAL_AT = 6;
    private static final int ONE_AT = POLYNOMIAL_AT + Exponential.POLYNOMIAL.length - 1;
    private static final int QUICK_GELU_AT = ONE_AT + 1;

    /** The constants in the order of the places above. */
    static final MemorySegment NUMBERS = numbers();

    private final boolean wide;
    private final int vectors;
    private final MemorySegment swiglu;
    private final MemorySegment quickGelu;
    private final MemorySegment largest;
    private final MemorySegment exponentials;

    RowCode(boolean wide) {
        this.wide = wide;
        this.vectors = wide ? 1 : 2;
        this.swiglu = Pages.executable(swigluCode());
        this.quickGelu = Pages.executable(quickGeluCode());
        this.largest = Pages.executable(largestCode());
        this.exponentials = Pages.executable(exponentialsCode());
    }

    private static MemorySegment numbers() {
        float[] values = new float[QUICK_GELU_AT + 1];
        values[0] = Exponential.LEAST;
        values[1] = Exponential.LARGEST;
        values[2] = Exponential.LOG2_E;
        values[3] = Exponential.ROUNDING;
        values[4] = Exponential.LN2_HIGH;
        values[5] = Exponential.LN2_LOW;
        System.arraycopy(Exponential.POLYNOMIAL, 0, values, POLYNOMIAL_AT, Exponential.POLYNOMIAL.length);
        values[QUICK_GELU_AT] = RowMath.QUICK_GELU;
        return Arena.global().allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    /** {@code gate = gate / (1 + exp(-gate)) * up}, for the first {@code steps * STEP} floats. */
    void swiglu(MemorySegment gate, MemorySegment up, int steps) {
        call(swiglu, gate, up, steps, (long) steps * STEP);
    }

    /** {@code x = t / (1 + exp(QUICK_GELU t))} of {@code t = x + bias}, for the first {@code steps * STEP} floats. */
    void quickGelu(MemorySegment x, MemorySegment bias, int steps) {
        call(quickGelu, x, bias, steps, (long) steps * STEP);
    }

    /** Largest of every {@value #STEP}th float: lane i is the largest of those at i, i + STEP, … */
    void largest(MemorySegment x, MemorySegment lanes, int steps) {
        call(largest, x, lanes, steps, STEP);
    }

    /**
     * {@code x = exp(x - shift)}.
     *
     * @param lanes the shift in all lanes; afterwards sums of every {@value #STEP}th result
     */
    void exponentials(MemorySegment x, MemorySegment lanes, int steps) {
        call(exponentials, x, lanes, steps, STEP);
    }

    /** The one place that enters this code; all that it reads and writes was checked to lie within the segments. */
    private static void call(MemorySegment function, MemorySegment x, MemorySegment other, int steps, long others) {
        if (steps < 1
                || x.byteSize() < (long) steps * STEP * Float.BYTES
                || other.byteSize() < others * Float.BYTES
                || !x.isNative()
                || !other.isNative()) {
            throw new IllegalArgumentException(
                    "%d and %d bytes for %d steps".formatted(x.byteSize(), other.byteSize(), steps));
        }
        try {
            CALL.invokeExact(function, x, other, (long) steps, NUMBERS);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private int bytes() {
        return STEP * Float.BYTES / vectors;
    }

    private byte[] swigluCode() {
        Assembler asm = start(wide);
        int step = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            int at = vector * bytes();
            asm.memory(Assembler.LOAD, OPERAND, 0, ROW, at);
            asm.registers(Assembler.XOR, X, X, X);
            asm.registers(Assembler.SUBTRACT_FLOATS, X, X, OPERAND);
            divideByExponential(asm);
            asm.memory(Assembler.MULTIPLY_FLOATS, SUM, SUM, OTHER, at);
            asm.memory(Assembler.STORE, SUM, 0, ROW, at);
        }
        asm.addConstant(OTHER, STEP * Float.BYTES);
        return next(asm, step).finish();
    }

    private byte[] quickGeluCode() {
        Assembler asm = start(wide);
        int step = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            int at = vector * bytes();
            asm.memory(Assembler.LOAD, OPERAND, 0, ROW, at);
            asm.memory(Assembler.ADD_FLOATS, OPERAND, OPERAND, OTHER, at);
            asm.memory(Assembler.BROADCAST, SCRATCH, 0, CONSTANTS, QUICK_GELU_AT * Float.BYTES);
            asm.registers(Assembler.MULTIPLY_FLOATS, X, OPERAND, SCRATCH);
            divideByExponential(asm);
            asm.memory(Assembler.STORE, SUM, 0, ROW, at);
        }
        asm.addConstant(OTHER, STEP * Float.BYTES);
        return next(asm, step).finish();
    }

    /** {@link #SUM} becomes {@code OPERAND / (1 + exp(X))}. */
    private static void divideByExponential(Assembler asm) {
        exponential(asm);
        asm.memory(Assembler.BROADCAST, SCRATCH, 0, CONSTANTS, ONE_AT * Float.BYTES);
        asm.registers(Assembler.ADD_FLOATS, SUM, SCRATCH, SUM);
        asm.registers(Assembler.DIVIDE_FLOATS, SUM, OPERAND, SUM);
    }

    private byte[] largestCode() {
        Assembler asm = new Assembler(wide);
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.LOAD, SUMS + vector, 0, ROW, vector * bytes());
        }
        int step = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.MAXIMUM, SUMS + vector, SUMS + vector, ROW, vector * bytes());
        }
        next(asm, step);
        storeLanes(asm);
        return asm.finish();
    }

    private byte[] exponentialsCode() {
        Assembler asm = start(wide);
        asm.memory(Assembler.LOAD, OPERAND, 0, OTHER, 0);
        for (int vector = 0; vector < vectors; vector++) {
            asm.registers(Assembler.XOR, SUMS + vector, SUMS + vector, SUMS + vector);
        }
        int step = asm.label();
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.LOAD, X, 0, ROW, vector * bytes());
            asm.registers(Assembler.SUBTRACT_FLOATS, X, X, OPERAND);
            exponential(asm);
            asm.memory(Assembler.STORE, SUM, 0, ROW, vector * bytes());
            asm.registers(Assembler.ADD_FLOATS, SUMS + vector, SUMS + vector, SUM);
        }
        next(asm, step);
        storeLanes(asm);
        return asm.finish();
    }

    /** Code that begins with loading the constants. */
    static Assembler start(boolean wide) {
        Assembler asm = new Assembler(wide);
        int[] registers = {LEAST, LARGEST, LOG2_E, ROUNDING, LN2_HIGH, LN2_LOW};
        for (int i = 0; i < registers.length; i++) {
            asm.memory(Assembler.BROADCAST, registers[i], 0, CONSTANTS, i * Float.BYTES);
        }
        return asm;
    }

    private static Assembler next(Assembler asm, int step) {
        asm.addConstant(ROW, STEP * Float.BYTES);
        asm.loop(COUNT, step);
        return asm;
    }

    private void storeLanes(Assembler asm) {
        for (int vector = 0; vector < vectors; vector++) {
            asm.memory(Assembler.STORE, SUMS + vector, 0, OTHER, vector * bytes());
        }
    }

    /** The steps of {@link Exponential#of}, from {@link #X} to {@link #SUM}. */
    static void exponential(Assembler asm) {
        asm.registers(Assembler.MAXIMUM, X, LEAST, X);
        asm.registers(Assembler.MINIMUM, X, LARGEST, X);
        asm.registers(Assembler.XOR, ROUNDED, ROUNDED, ROUNDED);
        asm.registers(Assembler.ADD_FLOATS, ROUNDED, ROUNDED, ROUNDING);
        asm.registers(Assembler.MULTIPLY_ADD, ROUNDED, X, LOG2_E);
        asm.registers(Assembler.SUBTRACT_FLOATS, POWER, ROUNDED, ROUNDING);
        asm.registers(Assembler.NEGATIVE_MULTIPLY_ADD, X, POWER, LN2_HIGH);
        asm.registers(Assembler.NEGATIVE_MULTIPLY_ADD, X, POWER, LN2_LOW);
        asm.memory(Assembler.BROADCAST, SUM, 0, CONSTANTS, POLYNOMIAL_AT * Float.BYTES);
        for (int i = 1; i < Exponential.POLYNOMIAL.length; i++) {
            asm.memory(Assembler.BROADCAST, SCRATCH, 0, CONSTANTS, (POLYNOMIAL_AT + i) * Float.BYTES);
            asm.registers(Assembler.MULTIPLY_FIRST, SUM, X, SCRATCH);
        }
        asm.shift(Assembler.LEFT_INTS, ROUNDED, ROUNDED, Exponential.MANTISSA_BITS);
        asm.registers(Assembler.ADD_INTS, SUM, SUM, ROUNDED);
    }
}
