package io.llava4j.tensor.kernel;

import java.util.Arrays;

/**
 * Assembles the few instructions of x86-64 that the kernels need. One set of names serves both widths: 512 bits (EVEX,
 * registers 0 to 31) and 256 bits (VEX, registers 0 to 15). Memory operands are {@code [base + 32-bit displacement]};
 * rsp and r12 cannot be a base.
 */
final class Assembler {
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RBX = 3;
    static final int RSI = 6;
    static final int RDI = 7;
    static final int R8 = 8;
    static final int R9 = 9;
    static final int R10 = 10;
    static final int R11 = 11;

    // Vector instructions: opcode | prefix << 8 (0 none, 1 for 66, 2 for F3) | map << 12 (1 for 0F, 2 for 0F38, 3 for
    // 0F3A).
    static final int LOAD = 0x126F;
    static final int STORE = 0x127F;
    static final int BROADCAST = 0x2158;
    static final int AND = 0x11DB;
    static final int XOR = 0x11EF;
    static final int ADD_INTS = 0x11FE;
    static final int ADD_SHORTS = 0x11FD;

    /** Products of unsigned and signed bytes, neighbours added to 16 bits. */
    static final int MULTIPLY_BYTES = 0x2104;

    /** Products of 16 bits, neighbours added to 32 bits. */
    static final int MULTIPLY_SHORTS = 0x11F5;

    /** Adds the products of four unsigned and four signed bytes to 32 bits. */
    static final int DOT_BYTES = 0x2150;

    static final int ABSOLUTE_BYTES = 0x211C;

    /** Negates or zeroes bytes by the sign of others. */
    static final int SIGN_BYTES = 0x2108;

    static final int INTS_TO_FLOATS = 0x105B;
    static final int HALVES_TO_FLOATS = 0x2113;
    static final int UNSIGNED_BYTES_TO_INTS = 0x2131;
    static final int SIGNED_BYTES_TO_INTS = 0x2121;
    static final int UNSIGNED_SHORTS_TO_INTS = 0x2133;
    static final int ADD_FLOATS = 0x1058;
    static final int SUBTRACT_FLOATS = 0x105C;
    static final int DIVIDE_FLOATS = 0x105E;

    /** The smaller of two; the last operand if one is NaN. */
    static final int MINIMUM = 0x105D;

    /** The larger of two; the last operand if one is NaN. */
    static final int MAXIMUM = 0x105F;

    static final int MULTIPLY_FLOATS = 0x1059;

    /** {@code first = second * third + first}, rounded once. */
    static final int MULTIPLY_ADD = 0x21B8;

    /** {@code first = -(second * third) + first}, rounded once. */
    static final int NEGATIVE_MULTIPLY_ADD = 0x21BC;

    /** {@code first = second * first + third}, rounded once. */
    static final int MULTIPLY_FIRST = 0x21A8;

    static final int SUBTRACT_BYTES = 0x11F8;
    static final int SUBTRACT_INTS = 0x11FA;
    static final int MAX_INTS = 0x213D;

    /** All bits of a lane are set if {@code second > third}. */
    static final int GREATER_INTS = 0x1166;

    static final int OR = 0x11EB;

    /** {@code first = ~second & third}. */
    static final int AND_NOT = 0x11DF;

    /** Rounds to nearest, halves to even. */
    static final int FLOATS_TO_INTS = 0x115B;

    /** Packs ints to shorts within halves of the register, saturated. */
    static final int PACK_INTS = 0x116B;

    static final int PACK_SHORTS = 0x1163;

    /** Moves int {@code second[i]} of {@code third} to lane i. */
    static final int PERMUTE_INTS = 0x2136;

    /** Copies the first lane to all. */
    static final int BROADCAST_FIRST = 0x2118;

    // With a constant.
    static final int PERMUTE_HALVES = 0x3146;
    static final int SHUFFLE_INTS = 0x1170;

    // The first lane only; 256 bits only.
    private static final int SINGLE = 1 << 16;
    static final int DIVIDE_FLOAT = SINGLE | 0x125E;
    static final int STORE_FLOAT = SINGLE | 0x1211;

    // Shifts by a constant: opcode | extension << 8.
    static final int RIGHT_SHORTS = 0x71 | 2 << 8;
    static final int LEFT_INTS = 0x72 | 6 << 8;

    private final boolean wide;
    private byte[] code = new byte[1 << 12];
    private int size;

    /** @param wide whether vectors have 512 bits rather than 256 */
    Assembler(boolean wide) {
        this.wide = wide;
    }

    /** Appends bytes as they are. */
    Assembler bytes(int... values) {
        if (size + values.length > code.length) {
            code = Arrays.copyOf(code, code.length * 2);
        }
        for (int value : values) {
            code[size++] = (byte) value;
        }
        return this;
    }

    private void int32(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    private static int inverted(int value, int bit) {
        return value >> bit & 1 ^ 1;
    }

    private void prefix(int op, int first, int second, int third, boolean memory, boolean broadcast) {
        int map = op >> 12 & 15;
        int prefix = op >> 8 & 15;
        int high = inverted(first, 3) << 7 | inverted(third, 3) << 5 | map;
        int middle = (~second & 15) << 3 | (op < SINGLE ? 4 : 0) | prefix;
        if (wide) {
            int extension = memory ? 1 : inverted(third, 4);
            bytes(0x62, high | extension << 6 | inverted(first, 4) << 4, middle & 0x7F);
            bytes(2 << 5 | (broadcast ? 16 : 0) | inverted(second, 4) << 3, op & 0xFF);
        } else {
            bytes(0xC4, high | 1 << 6, middle, op & 0xFF);
        }
    }

    /** An instruction with registers only; {@code second} is 0 if it has two operands. */
    void registers(int op, int first, int second, int third) {
        prefix(op, first, second, third, false, false);
        bytes(0xC0 | (first & 7) << 3 | third & 7);
    }

    /** An instruction whose last operand lies in memory. */
    void memory(int op, int first, int second, int base, int displacement) {
        prefix(op, first, second, base, true, false);
        address(first, base, displacement);
    }

    /** An instruction whose last operand is 32 bits of memory in all lanes; 512 bits only. */
    void broadcast(int op, int first, int second, int base, int displacement) {
        prefix(op, first, second, base, true, true);
        address(first, base, displacement);
    }

    /** An instruction with registers and a constant. */
    void immediate(int op, int first, int second, int third, int constant) {
        registers(op, first, second, third);
        bytes(constant);
    }

    /** Shifts lanes by a constant. */
    void shift(int op, int target, int source, int count) {
        prefix(op & 0xFF | 0x1100, 0, target, source, false, false);
        bytes(0xC0 | op >> 8 << 3 | source & 7, count);
    }

    private void address(int register, int base, int displacement) {
        bytes(0x80 | (register & 7) << 3 | base & 7);
        int32(displacement);
    }

    /** Loads 64 bits into a general register. */
    void load(int register, int base, int displacement) {
        bytes(0x48 | register >> 3 << 2 | base >> 3, 0x8B);
        address(register, base, displacement);
    }

    void move(int target, int source) {
        bytes(0x48 | source >> 3 << 2 | target >> 3, 0x89, 0xC0 | (source & 7) << 3 | target & 7);
    }

    void add(int target, int source) {
        bytes(0x48 | source >> 3 << 2 | target >> 3, 0x01, 0xC0 | (source & 7) << 3 | target & 7);
    }

    void addConstant(int register, int value) {
        bytes(0x48 | register >> 3, 0x81, 0xC0 | register & 7);
        int32(value);
    }

    /**
     * Fetches a cache line ahead of its use.
     *
     * @param cache 1 for the first, 2 for the second, which takes more lines at a time
     */
    void fetch(int cache, int base, int displacement) {
        if (base >= R8) {
            bytes(0x41);
        }
        bytes(0x0F, 0x18);
        address(cache, base, displacement);
    }

    /** Saves a general register that belongs to the caller; one of the first eight. */
    void push(int register) {
        bytes(0x50 | register);
    }

    void pop(int register) {
        bytes(0x58 | register);
    }

    /** Sets one of the first eight general registers. */
    void set(int register, int value) {
        bytes(0xB8 | register);
        int32(value);
    }

    /**
     * Tells the processor what its tiles are; the table stands in the code.
     *
     * @param table 64 bytes
     */
    void configureTiles(byte[] table) {
        bytes(0xEB, table.length); // a jump across the table
        for (byte each : table) {
            bytes(each);
        }
        bytes(0xC4, 0xE2, 0x78, 0x49, 0x05);
        int32(-table.length - 9); // from the end of this instruction
    }

    void releaseTiles() {
        bytes(0xC4, 0xE2, 0x78, 0x49, 0xC0);
    }

    void clearTile(int tile) {
        bytes(0xC4, 0xE2, 0x7B, 0x49, 0xC0 | tile << 3);
    }

    /**
     * Loads the rows of a tile.
     *
     * @param stride register with the bytes from a row to the next, not above rdi
     * @param scale 0 for once the register, 1 for twice
     */
    void loadTile(int tile, int base, int displacement, int stride, int scale) {
        tileAddress(0x7B, tile, base, displacement, stride, scale);
    }

    /** Stores the rows of a tile. */
    void storeTile(int tile, int base, int displacement, int stride, int scale) {
        tileAddress(0x7A, tile, base, displacement, stride, scale);
    }

    private void tileAddress(int prefix, int tile, int base, int displacement, int stride, int scale) {
        bytes(0xC4, 0xC2 | inverted(base, 3) << 5, prefix, 0x4B, 0x84 | tile << 3);
        bytes(scale << 6 | stride << 3 | base & 7);
        int32(displacement);
    }

    /**
     * Adds products of signed bytes to a tile of ints: {@code sums[i, j] += sum of first[i, k] second[k / 4, 4 j + k % 4]}.
     */
    void dotTiles(int sums, int first, int second) {
        bytes(0xC4, 0xE2, (~second & 15) << 3 | 3, 0x5E, 0xC0 | sums << 3 | first);
    }

    /** The place of the next instruction, for {@link #loop}. */
    int label() {
        return size;
    }

    /** Counts a register down and jumps back unless it is zero. */
    void loop(int register, int label) {
        bytes(0x48 | register >> 3, 0xFF, 0xC8 | register & 7, 0x0F, 0x85);
        int32(label - size - 4);
    }

    /** Clears the upper halves of the registers, as compiled code expects, and returns. */
    byte[] finish() {
        bytes(0xC5, 0xF8, 0x77, 0xC3);
        return Arrays.copyOf(code, size);
    }

    /** The code so far. */
    byte[] code() {
        return Arrays.copyOf(code, size);
    }
}
