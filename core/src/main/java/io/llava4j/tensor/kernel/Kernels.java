package io.llava4j.tensor.kernel;

import io.llava4j.ConfigException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Implementations of {@code y = w x}. All give the same bits ({@link ScalarKernel} defines them), for one column and for
 * many. The fastest that the machine offers is chosen once per process; the system property {@value #PROPERTY} or the
 * environment variable {@value #VARIABLE} names another one.
 */
public enum Kernels {
    /** Plain Java; slow. */
    SCALAR(() -> new Availability(new ScalarKernel(), "runs everywhere")),

    /** Java's Vector API, for blocks of 32 and 32-bit floats; other weights as {@link #SCALAR}. */
    VECTOR(Processor::vector),

    /** Machine code with 256 bits, for nearly every x86-64 processor since 2013. */
    AVX2(Processor::avx2),

    /** Machine code with 512 bits and products of bytes. */
    VNNI(Processor::vnni),

    /** As {@link #VNNI}, with tiles of bytes for several columns of quantised weights. */
    AMX(Processor::amx);

    /** System property that names the implementation. */
    public static final String PROPERTY = "llava.kernels";

    /** Environment variable that names the implementation; the property goes before it. */
    public static final String VARIABLE = "LLAVA_KERNELS";

    private static final Logger LOG = LoggerFactory.getLogger(Kernels.class);

    /** Bytes of a chunk for several columns: they stay in a core's cache while all columns pass. */
    private static final long BYTES_FOR_MANY = 1 << 19;

    /** Chunks per thread, so that a thread that is held up leaves its share to the others. */
    private static final int CHUNKS_PER_WORKER = 8;

    /** Where there are fewer, columns are divided too. */
    private static final int LEAST_CHUNKS_PER_WORKER = 2;

    /** What the machine says about an implementation: the kernel unless it cannot run, and the reason. */
    record Availability(@Nullable TileKernel kernel, String reason) {}

    private final Supplier<Availability> probe;
    private @Nullable Availability availability;

    Kernels(Supplier<Availability> probe) {
        this.probe = probe;
    }

    private static @Nullable Kernels chosen;

    /**
     * The implementation of this process.
     *
     * @throws ConfigException if the one that was asked for is unknown or cannot run here
     */
    public static synchronized Kernels instance() {
        if (chosen == null) {
            String property = System.getProperty(PROPERTY);
            chosen = property == null ? choose(VARIABLE, System.getenv(VARIABLE)) : choose(PROPERTY, property);
        }
        return chosen;
    }

    /**
     * Makes an implementation that of this process; for what is loaded from now on.
     *
     * @param setting where the name comes from, for messages
     * @param name as of {@link #option}
     * @throws ConfigException if it is unknown or cannot run here
     */
    public static synchronized void use(String setting, String name) {
        chosen = choose(setting, name);
    }

    static Kernels choose(String setting, @Nullable String name) {
        Kernels kernels = name == null ? fastest() : named(setting, name);
        LOG.info("matrix products run on the {} kernels: {}", kernels.option(), kernels.reason());
        return kernels;
    }

    private static Kernels fastest() {
        Kernels fastest = SCALAR;
        for (Kernels each : values()) {
            fastest = each.isAvailable() ? each : fastest;
        }
        return fastest;
    }

    private static Kernels named(String setting, String name) {
        Kernels kernels = Arrays.stream(values())
                .filter(each -> each.option().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ConfigException("%s=%s is unknown; use one of %s".formatted(setting, name, available())));
        if (!kernels.isAvailable()) {
            throw new ConfigException(
                    "%s=%s cannot be used: %s; use one of %s, or leave it unset for the fastest of them"
                            .formatted(setting, name, kernels.reason(), available()));
        }
        return kernels;
    }

    /** Whether the processor has instructions for products of bf16 numbers; true where it cannot be asked. */
    public static boolean processorHasBf16() {
        return Processor.hasBf16();
    }

    /** Names of those that can run on this machine, the slowest first. */
    public static List<String> available() {
        return Arrays.stream(values())
                .filter(Kernels::isAvailable)
                .map(Kernels::option)
                .toList();
    }

    /** Its name in {@value #VARIABLE}. */
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it can run on this machine. */
    public boolean isAvailable() {
        return availability().kernel != null;
    }

    /** Why it can or cannot run on this machine. */
    public String reason() {
        return availability().reason;
    }

    private synchronized Availability availability() {
        if (availability == null) {
            availability = probe.get();
        }
        return availability;
    }

    /**
     * Computes {@code y[column, row] = sum over k of w[row, k] x[column, k]}.
     *
     * @param y {@code [columns, out]} floats, off the heap; nothing else of it is written
     * @param stride floats from a column of {@code y} to the next, at least {@code out}
     * @throws IllegalArgumentException if sizes do not fit
     */
    public void multiply(PackedMatrix w, Activations x, MemorySegment y, long stride, Workers workers) {
        multiply(w, x, y, stride, workers, false);
    }

    /** As {@link #multiply}, but adds the product to what {@code y} holds, with one more rounding. */
    public void multiplyAdd(PackedMatrix w, Activations x, MemorySegment y, long stride, Workers workers) {
        multiply(w, x, y, stride, workers, true);
    }

    /** Reads a matrix once and does nothing else: no product with a column can be faster. */
    public void read(PackedMatrix w, Workers workers) {
        TileKernel kernel = kernel();
        int perChunk = Math.max(1, w.tiles() / (workers.count() * CHUNKS_PER_WORKER));
        workers.run(Math.ceilDiv(w.tiles(), perChunk), (chunk, worker) -> {
            int from = chunk * perChunk;
            kernel.read(w.tiles(from, Math.min(perChunk, w.tiles() - from)).data());
        });
    }

    private void multiply(PackedMatrix w, Activations x, MemorySegment y, long stride, Workers workers, boolean add) {
        TileKernel kernel = kernel();
        check(w, x, y, stride);
        int size = Math.min(x.columns(), kernel.groupColumns(w.layout()));
        if (w.layout().isQuantised()) {
            x.quantise(size, kernel, workers);
        } else {
            x.interleave(size, workers);
        }
        int perChunk = tilesPerChunk(w, x, workers);
        int chunks = Math.ceilDiv(w.tiles(), perChunk);
        int groups = Math.ceilDiv(x.columns(), size);
        int perPart =
                Math.ceilDiv(groups, Math.min(groups, Math.ceilDiv(LEAST_CHUNKS_PER_WORKER * workers.count(), chunks)));
        int parts = Math.ceilDiv(groups, perPart);
        Product product = new Product(kernel, w, x, size, y, stride, add);
        workers.run(chunks * parts, (chunk, worker) -> {
            int tile = chunk / parts * perChunk;
            int group = chunk % parts * perPart;
            product.tiles(tile, Math.min(perChunk, w.tiles() - tile), group, Math.min(group + perPart, groups));
        });
    }

    /** The kernel, for products of tiles that no matrix holds. */
    TileKernel kernel() {
        TileKernel kernel = availability().kernel;
        if (kernel == null) {
            throw new IllegalStateException("the %s kernels cannot run: %s".formatted(option(), reason()));
        }
        return kernel;
    }

    /** For one column, whose tiles are read side by side, a multiple of how many. */
    private static int tilesPerChunk(PackedMatrix w, Activations x, Workers workers) {
        int share = w.tiles() / (workers.count() * CHUNKS_PER_WORKER);
        int side = TileCode.Streams.MOST;
        return x.columns() == 1
                ? Math.max(1, share / side) * side
                : Math.clamp(share, 1, (int) Math.max(1, BYTES_FOR_MANY / w.tileBytes()));
    }

    private static void check(PackedMatrix w, Activations x, MemorySegment y, long stride) {
        if (x.in() != w.in()) {
            throw new IllegalArgumentException(
                    "a matrix [%d, %d] multiplies columns of %d, not of %d".formatted(w.out(), w.in(), w.in(), x.in()));
        }
        if (stride < w.out() || y.byteSize() / Float.BYTES < (x.columns() - 1) * stride + w.out()) {
            throw new IllegalArgumentException("%d columns of %d floats at a distance of %d do not fit %d bytes"
                    .formatted(x.columns(), w.out(), stride, y.byteSize()));
        }
        if (!y.isNative() || y.isReadOnly()) {
            throw new IllegalArgumentException("products are written to memory off the heap");
        }
    }

    /** One product, whose tiles may be computed in any order. */
    private record Product(
            TileKernel kernel,
            PackedMatrix w,
            Activations x,
            int groupSize,
            MemorySegment y,
            long stride,
            boolean add) {
        /** Some groups of columns of some tiles. A last tile with rows of padding is computed aside. */
        void tiles(int from, int count, int fromGroup, int toGroup) {
            int tileRows = w.layout().tileRows();
            boolean padded = (from + count) * tileRows > w.out();
            int whole = padded ? count - 1 : count;
            TileKernel.Tiles tiles = kernel.prepare(w.tiles(from, count), (toGroup - fromGroup) * groupSize);
            for (int group = fromGroup; group < toGroup; group++) {
                Activations.Group columns = x.group(w.layout(), group, groupSize);
                long first = group * groupSize * stride;
                if (whole > 0) {
                    long floats = (columns.columns() - 1) * stride + (long) whole * tileRows;
                    MemorySegment target = slice(first + (long) from * tileRows, floats);
                    kernel.multiply(tiles.part(0, whole), columns, target, stride, add);
                }
                if (padded) {
                    paddedTile(tiles.part(whole, 1), from + whole, columns, first);
                }
            }
        }

        private void paddedTile(TileKernel.Tiles padded, int tile, Activations.Group columns, long first) {
            int tileRows = w.layout().tileRows();
            int begin = tile * tileRows;
            int rows = w.out() - begin;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment aside = arena.allocate((long) columns.columns() * tileRows * Float.BYTES, 64);
                kernel.multiply(padded, columns, aside, tileRows, false);
                for (int column = 0; column < columns.columns(); column++) {
                    MemorySegment target = slice(first + column * stride + begin, rows);
                    for (int row = 0; row < rows; row++) {
                        float sum = aside.getAtIndex(ValueLayout.JAVA_FLOAT, (long) column * tileRows + row);
                        float before = add ? target.getAtIndex(ValueLayout.JAVA_FLOAT, row) : 0;
                        target.setAtIndex(ValueLayout.JAVA_FLOAT, row, add ? before + sum : sum);
                    }
                }
            }
        }

        private MemorySegment slice(long from, long floats) {
            return y.asSlice(from * Float.BYTES, floats * Float.BYTES);
        }
    }
}
