package io.llava4j.tensor.kernel;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Products in machine code, assembled at its first use for a layout and a count of columns. */
final class CodeKernel implements TileKernel {
    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS));

    private record Variant(PackedLayout layout, int columns, boolean add) {}

    private final boolean wide;
    private final Map<Variant, MemorySegment> code = new ConcurrentHashMap<>();

    /** @param wide whether the processor has AVX-512 with VNNI, rather than AVX2 */
    CodeKernel(boolean wide) {
        this.wide = wide;
    }

    /** The loops over rows of the same width. */
    RowCode rows() {
        return new RowCode(wide);
    }

    @Override
    public int groupColumns(PackedLayout layout) {
        if (!layout.isQuantised()) {
            return FloatCode.columns(wide);
        }
        return wide ? VnniBlockCode.COLUMNS : Avx2BlockCode.COLUMNS;
    }

    /**
     * The one place that enters machine code. All that it reads and writes was checked to lie within its segment, and a
     * segment stays alive while a call has it.
     */
    @Override
    public void multiply(Tiles w, Activations.Group x, MemorySegment y, long stride, boolean add) {
        PackedLayout layout = w.layout();
        long numbers = (long) w.units() * layout.unitColumns() * x.columns();
        requireBytes(x.values(), layout.isQuantised() ? numbers : numbers * Float.BYTES);
        if (layout.isQuantised()) {
            requireBytes(x.fields(), numbers / PackedLayout.BLOCK * Activations.FIELDS * Float.BYTES);
        }
        requireBytes(y, ((x.columns() - 1) * stride + (long) w.count() * layout.tileRows()) * Float.BYTES);
        MemorySegment function = code.computeIfAbsent(new Variant(layout, x.columns(), add), this::assemble);
        MemorySegment arguments = Arguments.of(w.units(), w.count(), stride * Float.BYTES);
        try {
            CALL.invokeExact(function, arguments, w.data(), x.values(), x.fields(), y);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void requireBytes(MemorySegment segment, long bytes) {
        if (segment.byteSize() < bytes) {
            throw new IllegalArgumentException("%d bytes where %d are read".formatted(segment.byteSize(), bytes));
        }
    }

    private MemorySegment assemble(Variant variant) {
        TileCode writer;
        if (!variant.layout.isQuantised()) {
            writer = new FloatCode(variant.layout, variant.columns, wide);
        } else if (wide) {
            writer = new VnniBlockCode(variant.layout, variant.columns);
        } else {
            writer = new Avx2BlockCode(variant.layout, variant.columns);
        }
        return Pages.executable(writer.write(variant.add));
    }
}
