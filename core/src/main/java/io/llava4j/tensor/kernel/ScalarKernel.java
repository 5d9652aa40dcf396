package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The product in plain Java: the definition of what every implementation computes, to the last bit. Each (row, column) has
 * one chain of fused multiply-adds, in the order of the columns, whatever the count of rows and columns:
 *
 * <ul>
 *   <li>floats: {@code sum = fma(w, x, sum)}
 *   <li>blocks: {@code sum = fma((float) integerSum, scale * xScale, sum)}, where the integer sum is exact; Q6_K has two
 *       such sums per block, of 16 columns each
 *   <li>then, with minima: {@code sum = fma(minimum, xScale * (sum of x's integers), sum)}; K-quants subtract
 * </ul>
 *
 * <p>{@code scale} is the 16-bit scale, for K-quants multiplied by the small scale, which is exact.
 */
final class ScalarKernel implements TileKernel {
    @Override
    public int groupColumns(PackedLayout layout) {
        return 16;
    }

    @Override
    public void multiply(Tiles w, Activations.Group x, MemorySegment y, long stride, boolean add) {
        int tileRows = w.layout().tileRows();
        for (int t = 0; t < w.count(); t++) {
            MemorySegment data = w.tile(t);
            for (int row = 0; row < tileRows; row++) {
                for (int column = 0; column < x.columns(); column++) {
                    float sum = w.layout().isQuantised()
                            ? blocks(w, data, row, x, column)
                            : floats(w.layout(), data, row, x, column);
                    long at = column * stride + (long) t * tileRows + row;
                    y.setAtIndex(
                            ValueLayout.JAVA_FLOAT, at, add ? y.getAtIndex(ValueLayout.JAVA_FLOAT, at) + sum : sum);
                }
            }
        }
    }

    private static float floats(PackedLayout layout, MemorySegment tile, int row, Activations.Group x, int column) {
        int tileRows = layout.tileRows();
        long in = x.values().byteSize() / Float.BYTES / x.columns();
        float sum = 0;
        for (long k = 0; k < in; k++) {
            long at = k * tileRows + row;
            float weight = switch (layout) {
                case F32 -> tile.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                case F16 -> Float.float16ToFloat(tile.getAtIndex(ValueLayout.JAVA_SHORT, at));
                default -> Float.intBitsToFloat(tile.getAtIndex(ValueLayout.JAVA_SHORT, at) << 16);
            };
            sum = Math.fma(weight, x.values().getAtIndex(ValueLayout.JAVA_FLOAT, k * x.columns() + column), sum);
        }
        return sum;
    }

    private static float blocks(Tiles w, MemorySegment tile, int row, Activations.Group x, int column) {
        PackedLayout layout = w.layout();
        int blocks = layout.unitColumns() / PackedLayout.BLOCK;
        float sum = 0;
        for (int unit = 0; unit < w.units(); unit++) {
            MemorySegment data = tile.asSlice((long) unit * layout.unitBytes(), layout.unitBytes());
            for (int block = 0; block < blocks; block++) {
                int number = unit * blocks + block;
                sum = layout == PackedLayout.Q6_K
                        ? twoHalves(data, block, row, x, number, column, sum)
                        : oneBlock(layout, data, block, row, x, number, column, sum);
            }
        }
        return sum;
    }

    private static float oneBlock(
            PackedLayout layout,
            MemorySegment unit,
            int block,
            int row,
            Activations.Group x,
            int number,
            int column,
            float before) {
        int exact = integerSum(layout, unit, block, row, x, number, column, 0, PackedLayout.BLOCK);
        float xScale = field(x, number, Activations.SCALE, column);
        float scaledSum = field(x, number, Activations.SCALED_SUM, column);
        return switch (layout) {
            case Q4_1, Q5_1 -> {
                float sum = Math.fma((float) exact, half(unit, block * 32, row) * xScale, before);
                yield Math.fma(half(unit, 64 + block * 32, row), scaledSum, sum);
            }
            case Q4_K, Q5_K -> {
                int small = layout.smallScalesAt(block) + row;
                float scale = half(unit, 0, row) * Byte.toUnsignedInt(unit.get(ValueLayout.JAVA_BYTE, small));
                float minimum = half(unit, 32, row) * Byte.toUnsignedInt(unit.get(ValueLayout.JAVA_BYTE, small + 16));
                yield Math.fma(-minimum, scaledSum, Math.fma((float) exact, scale * xScale, before));
            }
            default -> Math.fma((float) exact, half(unit, block * 32, row) * xScale, before);
        };
    }

    private static float twoHalves(
            MemorySegment unit, int block, int row, Activations.Group x, int number, int column, float before) {
        PackedLayout layout = PackedLayout.Q6_K;
        float xScale = field(x, number, Activations.SCALE, column);
        float sum = before;
        for (int part = 0; part < 2; part++) {
            int exact = integerSum(layout, unit, block, row, x, number, column, part * 16, 16);
            byte small = unit.get(ValueLayout.JAVA_BYTE, layout.smallScalesAt(block) + part * 16 + row);
            sum = Math.fma((float) exact, half(unit, 0, row) * small * xScale, sum);
        }
        return sum;
    }

    private static int integerSum(
            PackedLayout layout,
            MemorySegment unit,
            int block,
            int row,
            Activations.Group x,
            int number,
            int column,
            int from,
            int count) {
        int elements = layout.elementsAt(block) + row * Integer.BYTES;
        long values = ((long) number * x.columns() + column) * PackedLayout.BLOCK;
        int sum = 0;
        for (int i = from; i < from + count; i++) {
            int element = layout.hasNibbles() ? nibble(unit, elements, i) : unsigned(unit, elements, i);
            sum += (element - layout.zero()) * x.values().get(ValueLayout.JAVA_BYTE, values + i);
        }
        return sum;
    }

    private static int unsigned(MemorySegment unit, int elements, int i) {
        return Byte.toUnsignedInt(unit.get(ValueLayout.JAVA_BYTE, elements + (i / 4) * Packer.VECTOR + i % 4));
    }

    private static int nibble(MemorySegment unit, int elements, int i) {
        byte pair = unit.get(ValueLayout.JAVA_BYTE, elements + (i / 8) * Packer.VECTOR + i % 4);
        return pair >> (i & 4) & 0xF;
    }

    private static float half(MemorySegment unit, int at, int row) {
        return Float.float16ToFloat(unit.get(Packer.SHORT, at + row * Short.BYTES));
    }

    private static float field(Activations.Group x, int block, int field, int column) {
        long at = ((long) block * Activations.FIELDS + field) * x.columns() + column;
        return x.fields().getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }
}
