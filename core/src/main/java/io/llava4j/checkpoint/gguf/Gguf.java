package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.NarrowFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A memory-mapped GGUF file of version 2 or 3: header with metadata, tensor entries, aligned data. Everything is checked
 * when it is opened: counts and lengths against the size of the file, shapes against their types, offsets of the data
 * against the file and each other.
 */
public final class Gguf implements AutoCloseable {
    static final int VERSION = 3;
    static final int DEFAULT_ALIGNMENT = 32;
    static final String ALIGNMENT = "general.alignment";
    static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_ALIGNMENT = 1 << 16;
    private static final int MAX_ENTRIES = 1 << 16;

    /** Two counts, a length and a type. */
    private static final int MIN_KEY_BYTES = 13;

    private static final int MIN_TENSOR_BYTES = 24;

    /**
     * A tensor of the file.
     *
     * @param name as in the file
     * @param type of the elements; {@link NarrowFormat#READ_AS} for those of a type that is read as another one
     * @param shape sizes, outermost first
     * @param data as it lies in the file: row-major elements or blocks
     * @param narrow the type in the file if it is read as another one, otherwise null
     */
    public record Entry(
            String name,
            BlockFormat type,
            long[] shape,
            MemorySegment data,
            @Nullable NarrowFormat narrow) {
        /**
         * Row-major elements or blocks of {@link #type}: a view of the file, or a copy, which every call makes anew.
         *
         * @throws CheckpointException if blocks cannot be read as another type
         */
        MemorySegment blocks() {
            return narrow == null
                    ? data
                    : narrow.read(data, elements())
                            .orElseThrow(() -> new CheckpointException(
                                    "tensor '%s' has scales that are no numbers or too large: the file is damaged"
                                            .formatted(name)));
        }

        /** Bytes in the file. */
        long storedBytes() {
            return narrow == null ? type.bytes(elements()) : narrow.bytes(elements());
        }

        long elements() {
            return Arrays.stream(shape).reduce(1, Math::multiplyExact);
        }
    }

    private record Slot(
            String name, BlockFormat type, @Nullable NarrowFormat narrow, long[] shape, long begin, long bytes) {}

    private final Path file;
    private final List<Path> files;
    private final Runnable release;
    private final GgufMetadata metadata;
    private final SequencedMap<String, Entry> tensors;

    private Gguf(Path file, Arena arena, MemorySegment bytes) {
        this.file = file;
        this.files = List.of(file);
        this.release = arena::close;
        GgufCursor cursor = new GgufCursor(file, bytes);
        checkVersion(cursor);
        int tensorCount = cursor.readCount("tensors", MIN_TENSOR_BYTES, MAX_ENTRIES);
        int keyCount = cursor.readCount("metadata keys", MIN_KEY_BYTES, MAX_ENTRIES);
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < keyCount; i++) {
            String key = cursor.readString();
            if (values.put(key, cursor.readValue(key)) != null) {
                throw cursor.damaged("key '%s' is there twice".formatted(FileErrors.shown(key)));
            }
        }
        this.metadata = new GgufMetadata(file, Collections.unmodifiableMap(values));
        int alignment = alignment();
        List<Slot> slots = new ArrayList<>();
        for (int i = 0; i < tensorCount; i++) {
            slots.add(slot(cursor, alignment));
        }
        long dataBegin = Math.ceilDiv(cursor.position(), alignment) * alignment;
        checkSlots(cursor, slots, bytes.byteSize() - dataBegin);
        this.tensors = new LinkedHashMap<>();
        for (Slot slot : slots) {
            MemorySegment data =
                    slot.bytes == 0 ? MemorySegment.NULL : bytes.asSlice(dataBegin + slot.begin, slot.bytes);
            if (tensors.put(slot.name, new Entry(slot.name, slot.type, slot.shape, data, slot.narrow)) != null) {
                throw cursor.damaged("tensor '%s' is there twice".formatted(FileErrors.shown(slot.name)));
            }
        }
    }

    private Gguf(List<Gguf> parts, SequencedMap<String, Entry> tensors) {
        this.file = parts.getFirst().file;
        this.files = parts.stream().map(Gguf::file).toList();
        this.metadata = parts.getFirst().metadata;
        this.tensors = tensors;
        this.release = () -> parts.forEach(Gguf::close);
    }

    /**
     * One model of several files: metadata of the first, tensors of all.
     *
     * @param parts closed with the result
     */
    static Gguf joined(List<Gguf> parts) {
        SequencedMap<String, Entry> all = new LinkedHashMap<>();
        for (Gguf part : parts) {
            part.tensors.forEach((name, entry) -> {
                if (all.put(name, entry) != null) {
                    throw part.bad(name, "another part of the model holds it too");
                }
            });
        }
        return new Gguf(parts, all);
    }

    /** Whether a file begins with GGUF's magic bytes. */
    static boolean is(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer magic = ByteBuffer.allocate(MAGIC.length);
            while (magic.hasRemaining() && channel.read(magic) >= 0) {
                // until four bytes are there or the file ends
            }
            return !magic.hasRemaining() && Arrays.equals(magic.array(), MAGIC);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /**
     * Maps a file and checks its header.
     *
     * @return the open file; close it after the last use of its tensors
     * @throws CheckpointException naming file and key or tensor if something is wrong
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the result
    public static Gguf open(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            Arena arena = Arena.ofShared();
            boolean opened = false;
            try {
                Gguf gguf = new Gguf(file, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
                opened = true;
                return gguf;
            } finally {
                if (!opened) {
                    arena.close();
                }
            }
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    private void checkVersion(GgufCursor cursor) {
        if (cursor.readInt()
                != ByteBuffer.wrap(MAGIC).order(ByteOrder.LITTLE_ENDIAN).getInt()) {
            throw cursor.damaged("it does not begin with GGUF");
        }
        int version = cursor.readInt();
        if (Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == VERSION) {
            throw new CheckpointException("%s is a big-endian GGUF file; fetch the little-endian one".formatted(file));
        }
        if (version != 2 && version != VERSION) {
            throw new CheckpointException("%s is of GGUF version %s; llava4j reads 2 and 3, convert the model again"
                    .formatted(file, Integer.toUnsignedString(version)));
        }
    }

    private int alignment() {
        int alignment = metadata.size(ALIGNMENT, DEFAULT_ALIGNMENT);
        if (alignment < 8 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
            throw metadata.bad(ALIGNMENT, "a power of two from 8 to " + MAX_ALIGNMENT);
        }
        return alignment;
    }

    private Slot slot(GgufCursor cursor, int alignment) {
        String name = cursor.readString();
        int dimensions = cursor.readInt();
        if (dimensions < 0 || dimensions > MAX_DIMENSIONS) {
            throw bad(name, "it has %s dimensions".formatted(Integer.toUnsignedString(dimensions)));
        }
        long[] shape = new long[dimensions];
        for (int i = dimensions - 1; i >= 0; i--) {
            shape[i] = cursor.readLong(); // the file has the innermost size first
        }
        int id = cursor.readInt();
        NarrowFormat narrow = NarrowFormat.of(id).orElse(null);
        BlockFormat type = BlockFormat.of(id)
                .or(() -> Optional.ofNullable(narrow).map(unused -> NarrowFormat.READ_AS))
                .orElseThrow(() -> bad(
                        name,
                        "its type %s is not read; fetch or make the model's F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M or Q4_0 file"
                                .formatted(BlockFormat.nameOfOther(id))));
        long begin = cursor.readLong();
        if (begin < 0 || begin % alignment != 0) {
            throw bad(
                    name,
                    "its data begins at %s, no multiple of %d".formatted(Long.toUnsignedString(begin), alignment));
        }
        long bytes = narrow == null
                ? bytes(name, type.name(), type.blockSize(), type::bytes, shape)
                : bytes(name, narrow.name(), narrow.blockSize(), narrow::bytes, shape);
        return new Slot(name, type, narrow, shape, begin, bytes);
    }

    private long bytes(String name, String type, int blockSize, LongUnaryOperator size, long[] shape) {
        try {
            long elements = 1;
            for (long dimension : shape) {
                if (dimension < 0) {
                    throw new ArithmeticException();
                }
                elements = Math.multiplyExact(elements, dimension);
            }
            if (shape.length > 0 && shape[shape.length - 1] % blockSize != 0 || shape.length == 0 && blockSize > 1) {
                throw bad(name, "its rows are no multiple of %d, the block size of %s".formatted(blockSize, type));
            }
            return size.applyAsLong(elements);
        } catch (ArithmeticException e) {
            throw bad(name, "its shape %s is beyond all memory".formatted(Arrays.toString(shape)));
        }
    }

    private void checkSlots(GgufCursor cursor, List<Slot> slots, long dataBytes) {
        long covered = 0;
        for (Slot slot : slots.stream()
                .sorted(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::bytes))
                .toList()) {
            if (slot.bytes > dataBytes || slot.begin > dataBytes - slot.bytes) {
                throw cursor.damaged(
                        "the data of tensor '%s' lies beyond its end".formatted(FileErrors.shown(slot.name)));
            }
            if (slot.begin < covered) {
                throw bad(slot.name, "its data overlaps another tensor's");
            }
            covered = slot.begin + slot.bytes;
        }
    }

    private CheckpointException bad(String tensor, String problem) {
        return new CheckpointException("%s: tensor '%s': %s".formatted(file, FileErrors.shown(tensor), problem));
    }

    Path file() {
        return file;
    }

    /** All parts of a model of several files. */
    List<Path> files() {
        return files;
    }

    /** The keys and values of the header. */
    public GgufMetadata metadata() {
        return metadata;
    }

    /** Tensors by their name in the file. */
    public SequencedMap<String, Entry> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    /** A sentence about tensors that are read as another type; empty if there are none. */
    Optional<String> narrowTypes() {
        Map<NarrowFormat, Integer> counts = new EnumMap<>(NarrowFormat.class);
        for (Entry entry : tensors.values()) {
            if (entry.narrow != null) {
                counts.merge(entry.narrow, 1, Integer::sum);
            }
        }
        return counts.isEmpty()
                ? Optional.empty()
                : Optional.of("%s: %s are read as %s, the nearest type that is computed from; they take its memory"
                        .formatted(
                                file,
                                counts.entrySet().stream()
                                        .map(type -> type.getValue() + " tensors in " + type.getKey())
                                        .collect(Collectors.joining(", ")),
                                NarrowFormat.READ_AS));
    }

    boolean isQuantised() {
        return tensors.values().stream().anyMatch(entry -> entry.type().isQuantised());
    }

    /** Unmaps the file; no tensor of it may be read afterwards. */
    @Override
    public void close() {
        release.run();
    }
}
