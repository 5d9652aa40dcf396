package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Products in machine code, assembled at its first use for a layout and a count of columns. */
final class CodeKernel implements TileKernel {
    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS));

    /** The code that rounds activations; initialised at its first use. */
    private static final class Quantiser {
        static final MemorySegment CODE = Pages.executable(QuantiserCode.write());
        static final MemorySegment CONSTANTS = QuantiserCode.constants();
    }

    /** Room of a thread for prepared tiles. */
    private static final ThreadLocal<MemorySegment> PREPARED = ThreadLocal.withInitial(() -> MemorySegment.NULL);

    /** Read by a call: about four tiles. */
    private static final int READ_BYTES = 1 << 17;

    private record Variant(PackedLayout layout, int columns, TileCode.Streams streams, boolean add) {}

    private final boolean wide;
    private final boolean tiles;
    private final Map<Variant, MemorySegment> code = new ConcurrentHashMap<>();
    private final Map<PackedLayout, MemorySegment> inSignedBytes = new ConcurrentHashMap<>();
    private volatile @Nullable MemorySegment reading;

    /**
     * @param wide whether the processor has AVX-512 with VNNI, rather than AVX2
     * @param tiles whether it also has AMX
     */
    CodeKernel(boolean wide, boolean tiles) {
        this.wide = wide;
        this.tiles = tiles;
    }

    boolean isWide() {
        return wide;
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

    /** Whole blocks in machine code, where the floats lie off the heap; the definition does the rest. */
    @Override
    public void quantise(MemorySegment x, int blocks, MemorySegment values, MemorySegment fields, int columns) {
        int whole = x.isNative() ? (int) Math.min(blocks, x.byteSize() / Float.BYTES / PackedLayout.BLOCK) : 0;
        long valueBytes = (long) columns * PackedLayout.BLOCK;
        long fieldBytes = (long) columns * Activations.FIELDS * Float.BYTES;
        if (whole > 0) {
            requireBytes(values, (whole - 1) * valueBytes + PackedLayout.BLOCK);
            requireBytes(fields, whole * fieldBytes - (columns - 1L) * Float.BYTES);
            MemorySegment arguments = Arguments.of(whole, valueBytes, (long) columns * Float.BYTES);
            call(Quantiser.CODE, arguments, x, values, fields, Quantiser.CONSTANTS);
        }
        if (whole < blocks) {
            TileKernel.super.quantise(
                    x.asSlice((long) whole * PackedLayout.BLOCK * Float.BYTES),
                    blocks - whole,
                    values.asSlice(whole * valueBytes),
                    fields.asSlice(whole * fieldBytes),
                    columns);
        }
    }

    /** With tiles of bytes, weights become signed bytes once for all columns. */
    @Override
    public Tiles prepare(Tiles w, int columns) {
        PackedLayout layout = w.layout();
        if (!tiles || columns < AmxBlockCode.LEAST_COLUMNS_TO_PREPARE || layout.inSignedBytes() == layout) {
            return w;
        }
        long units = (long) w.count() * w.units();
        long bytes = units * layout.inSignedBytes().unitBytes();
        if (PREPARED.get().byteSize() < bytes) {
            PREPARED.set(Arena.ofAuto().allocate(bytes, 64));
        }
        MemorySegment prepared = PREPARED.get().asSlice(0, bytes);
        MemorySegment function =
                inSignedBytes.computeIfAbsent(layout, each -> Pages.executable(SignedByteCode.write(each)));
        call(function, Arguments.of(units, 0, 0), w.data(), prepared, MemorySegment.NULL, MemorySegment.NULL);
        return new Tiles(layout.inSignedBytes(), w.units(), prepared);
    }

    /**
     * Products of tiles. All that it reads and writes was checked to lie within its segment, and a
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
        TileCode.Streams streams = streams(w, x.columns());
        int whole = w.count() / streams.count();
        multiply(w, whole, streams, x, y, stride, add);
        int done = whole * streams.count();
        if (done < w.count()) {
            long rows = (long) done * layout.tileRows();
            Tiles rest = w.part(done, w.count() - done);
            multiply(rest, rest.count(), TileCode.Streams.ONE, x, y.asSlice(rows * Float.BYTES), stride, add);
        }
    }

    private TileCode.Streams streams(Tiles w, int columns) {
        boolean roomForSums = wide || w.layout().isQuantised();
        return roomForSums && !isForTiles(w.layout(), columns)
                ? TileCode.Streams.of(w.tileBytes(), w.count(), columns)
                : TileCode.Streams.ONE;
    }

    private void multiply(
            Tiles w,
            int times,
            TileCode.Streams streams,
            Activations.Group x,
            MemorySegment y,
            long stride,
            boolean add) {
        MemorySegment function =
                code.computeIfAbsent(new Variant(w.layout(), x.columns(), streams, add), this::assemble);
        MemorySegment arguments = Arguments.of(w.units(), times, stride * Float.BYTES);
        call(function, arguments, w.data(), x.values(), x.fields(), y);
    }

    @Override
    public void read(MemorySegment data) {
        MemorySegment function = reading;
        if (function == null) {
            function = Pages.executable(ReadCode.write(wide, READ_BYTES));
            reading = function;
        }
        MemorySegment arguments = Arguments.of(READ_BYTES / ReadCode.UNIT_BYTES, 0, 0);
        long at = 0;
        for (; at + READ_BYTES <= data.byteSize(); at += READ_BYTES) {
            MemorySegment part = data.asSlice(at, READ_BYTES);
            call(function, arguments, part, MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL);
        }
        TileKernel.super.read(data.asSlice(at));
    }

    /** The one place that enters machine code; addresses were checked before. */
    private static void call(
            MemorySegment function,
            MemorySegment arguments,
            MemorySegment first,
            MemorySegment second,
            MemorySegment third,
            MemorySegment fourth) {
        try {
            CALL.invokeExact(function, arguments, first, second, third, fourth);
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

    /** Whether {@link AmxBlockCode} computes it, which reads one tile after the other. */
    private boolean isForTiles(PackedLayout layout, int columns) {
        return tiles
                && layout.isQuantised()
                && (layout.isSigned() || layout == layout.inSignedBytes() && columns >= AmxBlockCode.LEAST_COLUMNS);
    }

    private MemorySegment assemble(Variant variant) {
        TileCode writer;
        if (!variant.layout.isQuantised()) {
            writer = new FloatCode(variant.layout, variant.columns, variant.streams, wide);
        } else if (isForTiles(variant.layout, variant.columns)) {
            writer = new AmxBlockCode(variant.layout, variant.columns);
        } else if (wide) {
            writer = new VnniBlockCode(variant.layout, variant.columns, variant.streams);
        } else {
            writer = new Avx2BlockCode(variant.layout, variant.columns, variant.streams);
        }
        return Pages.executable(writer.write(variant.add));
    }
}
