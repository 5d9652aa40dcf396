package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.FileErrors;
import io.llava4j.model.cpu.CpuWeights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Weights in the layout of the CPU kernels in a file of their own. It is mapped, so nothing is packed when the model is
 * opened, and processes share its pages. Answers are the same to the last bit.
 *
 * <p>It is a safetensors file with the bytes of each matrix. Its metadata names the layout, the model's files, and format,
 * shape and checksum (CRC-32C) of each matrix. All of it is checked when it is opened, the checksums too, for which all
 * workers read the file once. The model's files count as unchanged if size, time of modification and, where the file system
 * has it, time of the last change of any attribute (ctime, which no program can set back) are those of the time at which the
 * file was written; otherwise, and where matrices are missing, it is written anew from the model. A file that is damaged or
 * holds something else is refused.
 */
public final class PackedWeights implements CpuWeights, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PackedWeights.class);
    private static final String LAYOUT = "llava4j.layout";
    private static final String SOURCE = "llava4j.source";
    private static final Pattern MATRIX = Pattern.compile("([A-Z0-9_]{1,8}) ([0-9]{1,9}) ([0-9]{1,9}) ([0-9a-f]{8})");
    private static final long BUFFER_BYTES = 1 << 30;

    private final Path file;
    private final StoredWeights stored;
    private final String source;
    private final @Nullable SafeTensors mapped;
    private final Map<String, PackedMatrix> inFile;
    private final Map<String, PackedMatrix> matrices = new LinkedHashMap<>();
    private boolean isCurrent;

    private PackedWeights(Path file, StoredWeights stored, String source, @Nullable SafeTensors mapped) {
        this.file = file;
        this.stored = stored;
        this.source = source;
        this.mapped = mapped;
        this.inFile = mapped == null ? Map.of() : checked(mapped);
        this.isCurrent = mapped != null;
    }

    /**
     * Whether a file holds packed weights of a model's files as they are now; its matrices are not read.
     *
     * @param sources the model's files
     * @throws CheckpointException if it is damaged or holds something else
     */
    public static boolean isCurrent(Path file, List<Path> sources) {
        try (SafeTensors opened = open(file)) {
            return isOf(opened, stamp(sources));
        }
    }

    /**
     * Weights from a file if it is there and of this model.
     *
     * @param sources the files that {@code stored} comes from
     * @throws CheckpointException if the file is damaged or holds something else
     */
    static PackedWeights open(Path file, List<Path> sources, StoredWeights stored) {
        String source = stamp(sources);
        if (!Files.exists(file)) {
            return new PackedWeights(file, stored, source, null);
        }
        SafeTensors opened = open(file);
        boolean used = false;
        try {
            boolean current = isOf(opened, source);
            if (!current) {
                LOG.info("{} was written for other files, or those of the model changed; it is written again", file);
            }
            PackedWeights weights = new PackedWeights(file, stored, source, current ? opened : null);
            used = current;
            return weights;
        } finally {
            if (!used) {
                opened.close();
            }
        }
    }

    private static SafeTensors open(Path file) {
        SafeTensors opened;
        try {
            opened = SafeTensors.open(file);
        } catch (CheckpointException e) {
            throw new CheckpointException(
                    "%s is damaged, or no file of packed weights; delete it, and it is written again (%s)"
                            .formatted(file, e.getMessage()),
                    e);
        }
        if (!opened.metadata().containsKey(LAYOUT)) {
            opened.close();
            throw new CheckpointException(
                    "%s is no file of packed weights; name another place for them".formatted(file));
        }
        return opened;
    }

    private static boolean isOf(SafeTensors opened, String source) {
        return Integer.toString(PackedMatrix.LAYOUT).equals(opened.metadata().get(LAYOUT))
                && source.equals(opened.metadata().get(SOURCE));
    }

    /** What changes with the content of files. */
    private static String stamp(List<Path> files) {
        boolean unix = FileSystems.getDefault().supportedFileAttributeViews().contains("unix");
        String attributes = unix ? "unix:size,lastModifiedTime,ctime" : "size,lastModifiedTime,creationTime";
        List<String> stamps = new ArrayList<>();
        for (Path each : files) {
            try {
                stamps.add(new TreeMap<>(Files.readAttributes(each, attributes)).toString());
            } catch (IOException e) {
                throw FileErrors.cannotRead(each, e);
            }
        }
        return String.join(" ", stamps);
    }

    private static Map<String, PackedMatrix> checked(SafeTensors file) {
        List<TensorEntry> entries = List.copyOf(file.tensors().values());
        Map<String, PackedMatrix> matrices = new ConcurrentHashMap<>();
        Workers.shared()
                .run(entries.size(), (i, worker) -> matrices.put(entries.get(i).name(), checked(file, entries.get(i))));
        return matrices;
    }

    private static PackedMatrix checked(SafeTensors file, TensorEntry entry) {
        String about = file.metadata().getOrDefault(entry.name(), "");
        Matcher matcher = MATRIX.matcher(about);
        try {
            if (matcher.matches() && checksum(entry.data()).equals(matcher.group(4))) {
                return PackedMatrix.over(
                        BlockFormat.valueOf(matcher.group(1)),
                        Integer.parseInt(matcher.group(2)),
                        Integer.parseInt(matcher.group(3)),
                        entry.data());
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw damaged(file, entry, e);
        }
        throw damaged(file, entry, null);
    }

    private static CheckpointException damaged(SafeTensors file, TensorEntry entry, @Nullable Exception cause) {
        return new CheckpointException(
                "%s: matrix '%s' is damaged; delete the file, and it is written again"
                        .formatted(file.file(), FileErrors.shown(entry.name())),
                cause);
    }

    private static String checksum(MemorySegment bytes) {
        CRC32C sum = new CRC32C();
        for (long at = 0; at < bytes.byteSize(); at += BUFFER_BYTES) {
            sum.update(bytes.asSlice(at, Math.min(BUFFER_BYTES, bytes.byteSize() - at))
                    .asByteBuffer());
        }
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }

    @Override
    public Stored get(String name) {
        return stored.get(name);
    }

    @Override
    public void release(Stored released) {
        stored.release(released);
    }

    @Override
    public PackedMatrix pack(String name, long out, long in, Workers workers) {
        PackedMatrix matrix = inFile.get(name);
        if (matrix == null || matrix.format() != stored.format(name) || matrix.out() != out || matrix.in() != in) {
            matrix = stored.pack(name, out, in, workers);
            isCurrent = false;
        }
        matrices.put(name, matrix);
        return matrix;
    }

    /** Writes the file unless it holds all matrices already. The model answers without it, where it cannot be written. */
    void save() {
        if (isCurrent) {
            return;
        }
        Map<String, String> checksums = new ConcurrentHashMap<>();
        List<String> names = List.copyOf(matrices.keySet());
        Workers.shared().run(names.size(), (i, worker) -> {
            PackedMatrix matrix = matrices.get(names.get(i));
            if (matrix != null) {
                checksums.put(names.get(i), checksum(matrix.data()));
            }
        });
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(LAYOUT, Integer.toString(PackedMatrix.LAYOUT));
        metadata.put(SOURCE, source);
        List<TensorSource> tensors = new ArrayList<>();
        matrices.forEach((name, matrix) -> {
            metadata.put(
                    name, "%s %d %d %s".formatted(matrix.format(), matrix.out(), matrix.in(), checksums.get(name)));
            tensors.add(
                    new TensorSource(name, DType.U8, new long[] {matrix.data().byteSize()}, matrix::data));
        });
        try {
            SafeTensorsWriter.write(file, tensors, metadata);
            LOG.info(
                    "{} is written, {} GB; it is mapped from the next start on",
                    file,
                    String.format(Locale.ROOT, "%.2f", SafeTensorsWriter.totalBytes(tensors) / 1e9));
        } catch (CheckpointException e) {
            LOG.warn("{}; the model answers without packed weights", e.getMessage());
        }
    }

    /** Unmaps the file; no matrix of it may be used afterwards. */
    @Override
    public void close() {
        if (mapped != null) {
            mapped.close();
        }
    }
}
