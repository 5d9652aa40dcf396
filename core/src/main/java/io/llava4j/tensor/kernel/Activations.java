package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What matrices multiply: columns of 32-bit floats, kept in the forms that the kernels read. A form is made by the first
 * product that needs it and used by all others; the next columns take its place. For one caller at a time.
 *
 * <p>Quantised weights read integers: each block of 32 numbers x of a column becomes {@code rint(x * (127 / max))}, halves
 * to even, with the scale {@code max / 127} where {@code max} is the largest magnitude. A block whose magnitudes are all
 * below 2^-119 becomes zero. A block with a NaN or an infinity makes all outputs of its column NaN.
 */
public final class Activations {
    /** Numbers about a block, each for all columns of a group: a field is {@code [columns]} floats or ints. */
    static final int SCALE = 0;

    /** The scale times the sum of the integers: what a minimum of weights is multiplied by. */
    static final int SCALED_SUM = 1;

    /** -8 times the sum of the integers. */
    static final int BIAS_8 = 2;

    /** -128 times the sum of the integers. */
    static final int BIAS_128 = 3;

    /** -128 times the sum of the first and, in the next field, of the last 16 integers. */
    static final int HALF_BIASES_128 = 4;

    static final int FIELDS = 6;

    private static final int BLOCK = PackedLayout.BLOCK;

    /** Columns are padded with zeros to a multiple of this many numbers: the largest unit of a layout. */
    private static final int PADDING = 256;

    /** Floats of a column that are interleaved at a time. */
    private static final int STRETCH = 512;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private MemorySegment x = MemorySegment.NULL;
    private long stride;
    private int columns;
    private int in;

    private final WorkMemory memory;
    private MemorySegment integers = MemorySegment.NULL;
    private MemorySegment fields = MemorySegment.NULL;
    private MemorySegment floats = MemorySegment.NULL;
    private int quantisedFor;
    private int interleavedFor;

    /** @param memory of the forms; after it was freed, set columns before the next product */
    public Activations(WorkMemory memory) {
        this.memory = memory;
    }

    /**
     * Takes columns. They are read later: they must not change until the last product with them.
     *
     * @param x {@code [columns, in]} floats
     * @param stride floats from a column to the next, at least {@code in}
     */
    public void set(MemorySegment x, long stride, int columns, int in) {
        if (columns < 1 || in < 1 || stride < in) {
            throw new IllegalArgumentException(
                    "%d columns of %d floats at a distance of %d".formatted(columns, in, stride));
        }
        this.x = x.asSlice(0, ((columns - 1) * stride + in) * Float.BYTES);
        this.stride = stride;
        this.columns = columns;
        this.in = in;
        quantisedFor = 0;
        interleavedFor = 0;
    }

    /** Their count. */
    public int columns() {
        return columns;
    }

    /** Floats of a column. */
    public int in() {
        return in;
    }

    /** Columns of a group of at most {@code size}. */
    private int groupColumns(int group, int size) {
        return Math.min(size, columns - group * size);
    }

    private int blocks() {
        return Math.ceilDiv(in, PADDING) * PADDING / BLOCK;
    }

    /** Makes the form for quantised weights, with groups of that many columns; the last may have fewer. */
    void quantise(int size, TileKernel kernel, Workers workers) {
        if (quantisedFor == size) {
            return;
        }
        long all = (long) columns * blocks();
        integers = memory.bytesAtLeast(integers, all * BLOCK);
        fields = memory.atLeast(fields, all * FIELDS);
        workers.run(columns, (column, worker) -> quantiseColumn(column, size, kernel));
        quantisedFor = size;
    }

    /** A group of columns in the form for a layout; make that form first. */
    Group group(PackedLayout layout, int group, int size) {
        int count = groupColumns(group, size);
        return layout.isQuantised()
                ? new Group(count, integers(group, size), fields(group, size))
                : new Group(count, floats(group, size), MemorySegment.NULL);
    }

    /**
     * Neighbouring columns that a kernel multiplies at a time.
     *
     * @param values {@code [block, column, 32]} bytes, or {@code [in, column]} floats
     * @param fields {@code [block, field, column]}; nothing for floats
     */
    record Group(int columns, MemorySegment values, MemorySegment fields) {}

    /** Integers of a group: {@code [block, column, 32]} bytes. */
    private MemorySegment integers(int group, int size) {
        long begin = (long) group * size * blocks() * BLOCK;
        return integers.asSlice(begin, (long) groupColumns(group, size) * blocks() * BLOCK);
    }

    /** Fields of a group: {@code [block, field, column]}. */
    private MemorySegment fields(int group, int size) {
        long block = FIELDS * Float.BYTES * (long) blocks();
        return fields.asSlice(group * size * block, groupColumns(group, size) * block);
    }

    /** Makes the form for weights of floats, with groups of that many columns; the last may have fewer. */
    void interleave(int size, Workers workers) {
        if (interleavedFor == size) {
            return;
        }
        MemorySegment target = memory.atLeast(floats, (long) columns * in);
        floats = target;
        workers.run(Math.ceilDiv(columns, size), (group, worker) -> interleaveGroup(group, size, target));
        interleavedFor = size;
    }

    /** Floats of a group: {@code [in, column]}. */
    private MemorySegment floats(int group, int size) {
        long column = (long) in * Float.BYTES;
        return floats.asSlice(group * size * column, groupColumns(group, size) * column);
    }

    private void interleaveGroup(int group, int size, MemorySegment target) {
        int count = groupColumns(group, size);
        long first = (long) group * size * in;
        if (count == 1) {
            MemorySegment.copy(column(group * size), 0, target, first * Float.BYTES, (long) in * Float.BYTES);
            return;
        }
        float[] column = new float[STRETCH];
        float[] together = new float[STRETCH * count];
        for (int begin = 0; begin < in; begin += STRETCH) {
            int length = Math.min(STRETCH, in - begin);
            for (int c = 0; c < count; c++) {
                long at = ((group * size + c) * stride + begin) * Float.BYTES;
                MemorySegment.copy(x, FLOAT, at, column, 0, length);
                for (int i = 0, to = c; i < length; i++, to += count) {
                    together[to] = column[i];
                }
            }
            long at = (first + (long) begin * count) * Float.BYTES;
            MemorySegment.copy(together, 0, target, FLOAT, at, length * count);
        }
    }

    private MemorySegment column(int column) {
        return x.asSlice(column * stride * Float.BYTES, (long) in * Float.BYTES);
    }

    private void quantiseColumn(int column, int size, TileKernel kernel) {
        int group = column / size;
        int inGroup = column % size;
        MemorySegment values = integers(group, size).asSlice((long) inGroup * BLOCK);
        MemorySegment about = fields(group, size).asSlice((long) inGroup * Float.BYTES);
        kernel.quantise(column(column), blocks(), values, about, groupColumns(group, size));
    }
}
