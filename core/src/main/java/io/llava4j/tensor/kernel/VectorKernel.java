package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with the Vector API: Q4_0, Q4_1, Q8_0, Q5_0, Q5_1 and F32. Other layouts, which are
 * K-quants and 16-bit floats, go to {@link ScalarKernel}. A lane is a row; integer products have 32 bits, which are exact, so results equal those of the definition to the last bit.
 */
final class VectorKernel implements TileKernel {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int LANES = INTS.length();

    private final ScalarKernel scalar = new ScalarKernel();

    @Override
    public int groupColumns(PackedLayout layout) {
        return 16;
    }

    @Override
    public void multiply(Tiles w, Activations.Group x, MemorySegment y, long stride, boolean add) {
        PackedLayout layout = w.layout();
        boolean blocks = layout.isQuantised() && !layout.hasSmallScales();
        boolean supported = blocks || layout == PackedLayout.F32;
        if (!supported || layout.tileRows() % LANES != 0) {
            scalar.multiply(w, x, y, stride, add);
            return;
        }
        float[] sums = new float[layout.tileRows()];
        float[] scales = new float[2 * w.units() * layout.tileRows()];
        float[] minima = new float[layout.zero() == 0 && blocks ? scales.length : 0];
        for (int t = 0; t < w.count(); t++) {
            MemorySegment tile = w.tile(t);
            if (blocks) {
                unpackScales(layout, tile, w.units(), scales, minima);
            }
            for (int column = 0; column < x.columns(); column++) {
                for (int row = 0; row < layout.tileRows(); row += LANES) {
                    if (!blocks) {
                        floats(tile, row, w.units(), x.values(), column, x.columns(), sums);
                    } else if (layout.hasNibbles()) {
                        nibbles(tile, layout, row, w.units(), x, column, scales, minima, sums);
                    } else {
                        bytes(tile, layout, row, w.units(), x, column, scales, minima, sums);
                    }
                }
                store(sums, y, column * stride + (long) t * layout.tileRows(), add);
            }
        }
    }

    private static void store(float[] sums, MemorySegment y, long at, boolean add) {
        for (int row = 0; row < sums.length; row++) {
            float before = add ? y.getAtIndex(ValueLayout.JAVA_FLOAT, at + row) : 0;
            y.setAtIndex(ValueLayout.JAVA_FLOAT, at + row, add ? before + sums[row] : sums[row]);
        }
    }

    /** To {@code [block, row]}. */
    private static void unpackScales(
            PackedLayout layout, MemorySegment tile, int units, float[] scales, float[] minima) {
        ValueLayout.OfShort half = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);
        for (int block = 0; block < 2 * units; block++) {
            long at = (long) (block / 2) * layout.unitBytes() + block % 2 * 32;
            for (int row = 0; row < 16; row++) {
                scales[block * 16 + row] = Float.float16ToFloat(tile.get(half, at + row * 2));
                if (minima.length > 0) {
                    minima[block * 16 + row] = Float.float16ToFloat(tile.get(half, at + 64 + row * 2));
                }
            }
        }
    }

    private static void floats(
            MemorySegment tile, int row, int in, MemorySegment x, int column, int columns, float[] sums) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (long k = 0; k < in; k++) {
            float value = x.getAtIndex(ValueLayout.JAVA_FLOAT, k * columns + column);
            sum = FloatVector.fromMemorySegment(FLOATS, tile, (k * 32 + row) * Float.BYTES, ORDER)
                    .fma(FloatVector.broadcast(FLOATS, value), sum);
        }
        sum.intoArray(sums, row);
    }

    private static void nibbles(
            MemorySegment tile,
            PackedLayout layout,
            int row,
            int units,
            Activations.Group x,
            int column,
            float[] scales,
            float[] minima,
            float[] sums) {
        MemorySegment values = x.values();
        MemorySegment fields = x.fields();
        int columns = x.columns();
        boolean signed = layout.zero() != 0;
        int unitBytes = layout.unitBytes();
        int header = layout.header();
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int block = 0; block < 2 * units; block++) {
            long elements = (long) (block / 2) * unitBytes + header + block % 2 * 256 + row * 4L;
            long at = ((long) block * columns + column) * 32;
            long field = ((long) block * Activations.FIELDS * columns + column) * 4;
            int bias = signed ? fields.get(ValueLayout.JAVA_INT, field + Activations.BIAS_8 * 4L * columns) : 0;
            IntVector exact = IntVector.broadcast(INTS, bias);
            for (int i = 0; i < 4; i++) {
                IntVector v = IntVector.fromMemorySegment(INTS, tile, elements + i * 64, ORDER);
                for (int b = 0; b < 4; b++) {
                    int low = values.get(ValueLayout.JAVA_BYTE, at + i * 8 + b);
                    int high = values.get(ValueLayout.JAVA_BYTE, at + i * 8 + 4 + b);
                    exact = exact.add(v.and(15).mul(low));
                    exact = exact.add(
                            v.lanewise(VectorOperators.LSHR, 4).and(15).mul(high));
                    v = v.lanewise(VectorOperators.LSHR, 8);
                }
            }
            sum = finish(exact, sum, fields, field, columns, scales, minima, block * 16 + row);
        }
        sum.intoArray(sums, row);
    }

    private static void bytes(
            MemorySegment tile,
            PackedLayout layout,
            int row,
            int units,
            Activations.Group x,
            int column,
            float[] scales,
            float[] minima,
            float[] sums) {
        MemorySegment values = x.values();
        MemorySegment fields = x.fields();
        int columns = x.columns();
        boolean signed = layout.zero() != 0;
        int unitBytes = layout.unitBytes();
        int header = layout.header();
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int block = 0; block < 2 * units; block++) {
            long elements = (long) (block / 2) * unitBytes + header + block % 2 * 512 + row * 4L;
            long at = ((long) block * columns + column) * 32;
            long field = ((long) block * Activations.FIELDS * columns + column) * 4;
            int bias = signed ? fields.get(ValueLayout.JAVA_INT, field + Activations.BIAS_128 * 4L * columns) : 0;
            IntVector exact = IntVector.broadcast(INTS, bias);
            for (int i = 0; i < 8; i++) {
                IntVector v = IntVector.fromMemorySegment(INTS, tile, elements + i * 64, ORDER);
                for (int b = 0; b < 4; b++) {
                    int value = values.get(ValueLayout.JAVA_BYTE, at + i * 4 + b);
                    exact = exact.add(v.and(255).mul(value));
                    v = v.lanewise(VectorOperators.LSHR, 8);
                }
            }
            sum = finish(exact, sum, fields, field, columns, scales, minima, block * 16 + row);
        }
        sum.intoArray(sums, row);
    }

    private static FloatVector finish(
            IntVector exact,
            FloatVector sum,
            MemorySegment fields,
            long field,
            int columns,
            float[] scales,
            float[] minima,
            int at) {
        float xScale = fields.get(ValueLayout.JAVA_FLOAT, field);
        FloatVector scaled = ((FloatVector) exact.convert(VectorOperators.I2F, 0))
                .fma(FloatVector.fromArray(FLOATS, scales, at).mul(xScale), sum);
        if (minima.length == 0) {
            return scaled;
        }
        float scaledSum = fields.get(ValueLayout.JAVA_FLOAT, field + Activations.SCALED_SUM * 4L * columns);
        return FloatVector.fromArray(FLOATS, minima, at).fma(FloatVector.broadcast(FLOATS, scaledSum), scaled);
    }
}
