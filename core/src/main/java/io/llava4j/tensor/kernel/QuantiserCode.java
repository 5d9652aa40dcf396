package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes what {@link BlockQuantiser} does as code for AVX2: a function of the addresses of {@link Arguments}, floats,
 * values, fields and constants. A block is four registers of eight floats.
 */
final class QuantiserCode {
    private static final int VECTOR = 32;
    private static final int VECTORS = 4;

    // Constants, each in all lanes but for the order of the ints after two packings.
    private static final int MAGNITUDE_BITS = 0;
    private static final int LARGEST = VECTOR;
    private static final int ORDER = 2 * VECTOR;
    private static final int ONE_BYTES = 3 * VECTOR;
    private static final int ONE_SHORTS = 4 * VECTOR;
    private static final int BELOW_SMALLEST = 5 * VECTOR;
    private static final int BELOW_INFINITE = 6 * VECTOR;
    private static final int NAN = 7 * VECTOR;
    private static final int[] PACKED_ORDER = {0, 4, 1, 5, 2, 6, 3, 7};

    private static final int SWAP_HALVES = 1;
    private static final int SWAP_PAIRS = 0x4E;
    private static final int SWAP_NEIGHBOURS = 0xB1;

    private static final int BLOCKS = Assembler.R10;
    private static final int VALUE_STRIDE = Assembler.R9;
    private static final int FIELD_STRIDE = Assembler.R11;
    private static final int FLOATS = Assembler.RSI;
    private static final int VALUES = Assembler.RDX;
    private static final int FIELDS = Assembler.RCX;
    private static final int CONSTANTS = Assembler.R8;

    /** Registers 0 to 4 and 9 to 10 are scratch. */
    private static final int IS_USED = 5;

    private static final int IS_NAN = 6;
    private static final int INVERSE = 7;
    private static final int SCALE = 8;
    private static final int MASK = 15;

    private final Assembler asm = new Assembler(false);

    private QuantiserCode() {}

    static byte[] write() {
        return new QuantiserCode().assemble();
    }

    /** What the code reads as constants. */
    static MemorySegment constants() {
        MemorySegment constants = Arena.global().allocate(8 * VECTOR, VECTOR);
        for (int i = 0; i < VECTOR / Integer.BYTES; i++) {
            set(constants, MAGNITUDE_BITS, i, Integer.MAX_VALUE);
            set(constants, LARGEST, i, Float.floatToRawIntBits(127));
            set(constants, ORDER, i, PACKED_ORDER[i]);
            set(constants, ONE_BYTES, i, 0x01010101);
            set(constants, ONE_SHORTS, i, 0x00010001);
            set(constants, BELOW_SMALLEST, i, Float.floatToRawIntBits(BlockQuantiser.SMALLEST) - 1);
            set(constants, BELOW_INFINITE, i, Float.floatToRawIntBits(Float.POSITIVE_INFINITY) - 1);
            set(constants, NAN, i, Float.floatToRawIntBits(Float.NaN));
        }
        return constants;
    }

    private static void set(MemorySegment constants, int at, int lane, int value) {
        constants.set(ValueLayout.JAVA_INT, at + (long) lane * Integer.BYTES, value);
    }

    private byte[] assemble() {
        asm.load(BLOCKS, Assembler.RDI, Arguments.UNITS);
        asm.load(VALUE_STRIDE, Assembler.RDI, Arguments.TILES);
        asm.load(FIELD_STRIDE, Assembler.RDI, Arguments.STRIDE);
        asm.memory(Assembler.LOAD, MASK, 0, CONSTANTS, MAGNITUDE_BITS);
        int block = asm.label();
        loadAndFindLargest();
        findScale();
        roundAndStore();
        sumAndDescribe();
        asm.addConstant(FLOATS, VECTORS * VECTOR);
        asm.add(VALUES, VALUE_STRIDE);
        asm.loop(BLOCKS, block);
        return asm.finish();
    }

    /** Leaves the largest magnitude in all lanes of register 4. */
    private void loadAndFindLargest() {
        for (int i = 0; i < VECTORS; i++) {
            asm.memory(Assembler.LOAD, i, 0, FLOATS, i * VECTOR);
            asm.registers(Assembler.AND, i == 0 ? 4 : 9, i, MASK);
            if (i > 0) {
                asm.registers(Assembler.MAX_INTS, 4, 4, 9);
            }
        }
        asm.immediate(Assembler.PERMUTE_HALVES, 9, 4, 4, SWAP_HALVES);
        asm.registers(Assembler.MAX_INTS, 4, 4, 9);
        asm.immediate(Assembler.SHUFFLE_INTS, 9, 0, 4, SWAP_PAIRS);
        asm.registers(Assembler.MAX_INTS, 4, 4, 9);
        asm.immediate(Assembler.SHUFFLE_INTS, 9, 0, 4, SWAP_NEIGHBOURS);
        asm.registers(Assembler.MAX_INTS, 4, 4, 9);
    }

    private void findScale() {
        asm.memory(Assembler.GREATER_INTS, IS_USED, 4, CONSTANTS, BELOW_SMALLEST);
        asm.memory(Assembler.GREATER_INTS, IS_NAN, 4, CONSTANTS, BELOW_INFINITE);
        asm.registers(Assembler.AND_NOT, IS_USED, IS_NAN, IS_USED);
        asm.memory(Assembler.LOAD, 9, 0, CONSTANTS, LARGEST);
        asm.registers(Assembler.DIVIDE_FLOAT, INVERSE, 9, 4);
        asm.registers(Assembler.DIVIDE_FLOAT, SCALE, 4, 9);
        asm.registers(Assembler.BROADCAST_FIRST, INVERSE, 0, INVERSE);
        asm.registers(Assembler.AND, SCALE, SCALE, IS_USED);
        asm.memory(Assembler.AND, IS_NAN, IS_NAN, CONSTANTS, NAN);
        asm.registers(Assembler.OR, SCALE, SCALE, IS_NAN);
    }

    /** Leaves the integers in register 0. */
    private void roundAndStore() {
        for (int i = 0; i < VECTORS; i++) {
            asm.registers(Assembler.MULTIPLY_FLOATS, i, i, INVERSE);
            asm.registers(Assembler.FLOATS_TO_INTS, i, 0, i);
            asm.registers(Assembler.AND, i, i, IS_USED);
        }
        asm.registers(Assembler.PACK_INTS, 0, 0, 1);
        asm.registers(Assembler.PACK_INTS, 2, 2, 3);
        asm.registers(Assembler.PACK_SHORTS, 0, 0, 2);
        asm.memory(Assembler.LOAD, 9, 0, CONSTANTS, ORDER);
        asm.registers(Assembler.PERMUTE_INTS, 0, 9, 0);
        asm.memory(Assembler.STORE, 0, 0, VALUES, 0);
    }

    private void sumAndDescribe() {
        asm.memory(Assembler.LOAD, 1, 0, CONSTANTS, ONE_BYTES);
        asm.registers(Assembler.MULTIPLY_BYTES, 1, 1, 0);
        asm.memory(Assembler.MULTIPLY_SHORTS, 1, 1, CONSTANTS, ONE_SHORTS);
        asm.immediate(Assembler.SHUFFLE_INTS, 2, 0, 1, SWAP_PAIRS);
        asm.registers(Assembler.ADD_INTS, 1, 1, 2);
        asm.immediate(Assembler.SHUFFLE_INTS, 2, 0, 1, SWAP_NEIGHBOURS);
        asm.registers(Assembler.ADD_INTS, 1, 1, 2); // the low half: sum of the first 16
        asm.immediate(Assembler.PERMUTE_HALVES, 2, 1, 1, SWAP_HALVES); // of the last 16
        asm.registers(Assembler.ADD_INTS, 3, 1, 2);
        asm.registers(Assembler.INTS_TO_FLOATS, 4, 0, 3);
        asm.registers(Assembler.MULTIPLY_FLOATS, 4, 4, SCALE);
        asm.registers(Assembler.XOR, 9, 9, 9);
        storeField(SCALE);
        storeField(4);
        storeNegative(3, 3);
        storeNegative(3, 7);
        storeNegative(1, 7);
        storeNegative(2, 7);
    }

    /** Stores {@code -(sum << shift)}; register 9 is zero. */
    private void storeNegative(int sum, int shift) {
        asm.registers(Assembler.SUBTRACT_INTS, 10, 9, sum);
        asm.shift(Assembler.LEFT_INTS, 10, 10, shift);
        storeField(10);
    }

    private void storeField(int register) {
        asm.memory(Assembler.STORE_FLOAT, register, 0, FIELDS, 0);
        asm.add(FIELDS, FIELD_STRIDE);
    }
}
