package io.llava4j.tensor.kernel;

import io.llava4j.CheckpointException;
import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A weight {@code [out, in]} in the layout of the kernels ({@link PackedLayout}), computed from without being decoded.
 * Takes as much memory as in a file, but for rows and columns of padding.
 */
public final class PackedMatrix implements AutoCloseable {
    /** Number of the layout; another one whenever the bytes of a packed matrix change. */
    public static final int LAYOUT = 1;

    /** Alignment of the bytes of a matrix. */
    public static final int ALIGNMENT = 64;

    /** Tiles that a worker packs at a time; they stay in its cache. */
    private static final long PACKED_BYTES = 1 << 18;

    private final BlockFormat format;
    private final PackedLayout layout;
    private final int out;
    private final int in;
    private final @Nullable Arena arena;
    private final MemorySegment data;

    private PackedMatrix(BlockFormat format, int out, int in, @Nullable Arena arena, MemorySegment data) {
        this.format = format;
        this.layout = PackedLayout.of(format);
        this.out = out;
        this.in = in;
        this.arena = arena;
        this.data = data;
    }

    /**
     * Bytes of a matrix of that shape.
     *
     * @throws ArithmeticException if they are beyond all memory
     */
    public static long bytes(BlockFormat format, int out, int in) {
        PackedLayout layout = PackedLayout.of(format);
        long units = Math.multiplyExact(
                (long) Math.ceilDiv(out, layout.tileRows()), (long) Math.ceilDiv(in, layout.unitColumns()));
        return Math.multiplyExact(units, layout.unitBytes());
    }

    /**
     * A matrix that was packed before.
     *
     * @param data what {@link #data} of the same {@link #LAYOUT} gave; it may be read-only, and stays alive longer than this
     * @throws IllegalArgumentException if its size or alignment does not fit
     */
    public static PackedMatrix over(BlockFormat format, int out, int in, MemorySegment data) {
        if (!data.isNative() || data.byteSize() != bytes(format, out, in) || data.address() % ALIGNMENT != 0) {
            throw new IllegalArgumentException("%d bytes at %x cannot be a matrix [%d, %d] of %s"
                    .formatted(data.byteSize(), data.address(), out, in, format));
        }
        return new PackedMatrix(format, out, in, null, data);
    }

    /**
     * Packs a matrix on all workers.
     *
     * @param rows {@code [out, in]} elements of that format, as they lie in a GGUF file
     * @param in a multiple of the format's block size
     * @throws IllegalArgumentException if sizes do not fit
     * @throws CheckpointException if a scale is NaN or infinite; the message names the row
     */
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    public static PackedMatrix pack(BlockFormat format, MemorySegment rows, int out, int in, Workers workers) {
        if (out < 1 || in < 1 || in % format.blockSize() != 0) {
            throw new IllegalArgumentException("a matrix [%d, %d] cannot consist of %s blocks of %d"
                    .formatted(out, in, format, format.blockSize()));
        }
        long bytes = format.bytes((long) out * in);
        if (rows.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "a matrix [%d, %d] of %s has %d bytes, not %d".formatted(out, in, format, bytes, rows.byteSize()));
        }
        Arena arena = Arena.ofShared();
        PackedMatrix matrix = new PackedMatrix(format, out, in, arena, Pages.allocate(bytes(format, out, in), arena));
        try {
            Packer[] packers = new Packer[workers.count()];
            Arrays.setAll(packers, worker -> Packer.of(format));
            int perChunk = Math.clamp(PACKED_BYTES / matrix.tileBytes(), 1, matrix.tiles());
            workers.run(Math.ceilDiv(matrix.tiles(), perChunk), (chunk, worker) -> {
                int from = chunk * perChunk;
                int count = Math.min(perChunk, matrix.tiles() - from);
                Pages.populate(matrix.data, from * matrix.tileBytes(), count * matrix.tileBytes());
                for (int tile = from; tile < from + count; tile++) {
                    matrix.packTile(packers[worker], rows, tile);
                }
            });
            return matrix;
        } catch (RuntimeException | Error e) {
            matrix.close();
            throw e;
        }
    }

    private void packTile(Packer packer, MemorySegment rows, int tile) {
        long rowBytes = format.bytes(in);
        int first = tile * layout.tileRows();
        int count = Math.min(layout.tileRows(), out - first);
        MemorySegment target = data.asSlice(tile * tileBytes(), tileBytes());
        MemorySegment source = rows.asSlice(first * rowBytes, count * rowBytes);
        int bad = packer.pack(source, count, in, target);
        if (bad >= 0) {
            throw new CheckpointException(
                    "row %d holds a scale that is not finite; get an intact file or convert it again"
                            .formatted(first + bad));
        }
    }

    /** Rows: the size of a product. */
    public int out() {
        return out;
    }

    /** Columns: the size of what it multiplies. */
    public int in() {
        return in;
    }

    /** Type of the elements. */
    public BlockFormat format() {
        return format;
    }

    /** Memory that it takes. */
    public long bytes() {
        return data.byteSize();
    }

    /** Its bytes, which depend on neither machine nor kernels. */
    public MemorySegment data() {
        return data.asReadOnly();
    }

    /** Frees memory of its own; a product in progress makes this fail, later ones fail. */
    @Override
    public void close() {
        if (arena != null) {
            arena.close();
        }
    }

    PackedLayout layout() {
        return layout;
    }

    int tiles() {
        return Math.ceilDiv(out, layout.tileRows());
    }

    int units() {
        return Math.ceilDiv(in, layout.unitColumns());
    }

    long tileBytes() {
        return (long) units() * layout.unitBytes();
    }

    /** Tiles that follow each other. */
    TileKernel.Tiles tiles(int from, int count) {
        return new TileKernel.Tiles(layout, units(), data.asSlice(from * tileBytes(), count * tileBytes()));
    }
}
