package io.llava4j.checkpoint.safetensors;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.io.FileErrors;
import io.llava4j.io.ForeignContent;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A memory-mapped safetensors file: 8 bytes of header length (little-endian), a JSON header, the raw data. Opening it
 * checks the whole header: known types, sizes that match the shapes, and data that covers the file without gap or overlap.
 */
public final class SafeTensors implements WeightFile {
    /** Name of the weight file of a model in one file. */
    public static final String SINGLE = "model.safetensors";

    /** Name of the index of a model in shards. */
    public static final String INDEX = "model.safetensors.index.json";

    static final int PREFIX_BYTES = Long.BYTES;

    /** The limit of the reference implementation. */
    private static final long LARGEST_HEADER = 100_000_000;

    private final Path file;
    private final Arena arena;
    private final SequencedMap<String, TensorEntry> tensors;
    private final Map<String, String> metadata;

    private SafeTensors(Path file, Arena arena, SafeTensorsHeader header, MemorySegment data) {
        this.file = file;
        this.arena = arena;
        this.metadata = header.metadata();
        SequencedMap<String, TensorEntry> entries = new LinkedHashMap<>();
        for (SafeTensorsHeader.Slot slot : header.slots()) {
            entries.put(
                    slot.name(),
                    new TensorEntry(
                            slot.name(),
                            slot.dtype(),
                            slot.shape(),
                            data.asSlice(slot.begin(), slot.end() - slot.begin())));
        }
        this.tensors = Collections.unmodifiableSequencedMap(entries);
    }

    /**
     * Maps a file and checks its header.
     *
     * @param file to read
     * @return the open file; close it after the last use of its tensors
     * @throws CheckpointException naming file and tensor if something is wrong
     */
    public static SafeTensors open(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new CheckpointException("%s is not a file; name a .safetensors file".formatted(file));
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            byte[] json = readHeader(file, channel, size);
            long dataBytes = size - PREFIX_BYTES - json.length;
            SafeTensorsHeader header = SafeTensorsHeader.parse(file, json, dataBytes);
            return map(file, channel, header, size, dataBytes);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the result
    private static SafeTensors map(Path file, FileChannel channel, SafeTensorsHeader header, long size, long dataBytes)
            throws IOException {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment whole = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            return new SafeTensors(file, arena, header, whole.asSlice(size - dataBytes));
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static byte[] readHeader(Path file, FileChannel channel, long size) throws IOException {
        if (size < PREFIX_BYTES) {
            throw new CheckpointException(
                    "%s has %d bytes: too short for a safetensors file; fetch it again".formatted(file, size));
        }
        byte[] prefix = read(channel, 0, PREFIX_BYTES);
        long length = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
        ForeignContent.describe(file).ifPresent(what -> {
            throw new CheckpointException("%s %s".formatted(file, what));
        });
        if (prefix[0] == 'P' && prefix[1] == 'K' && prefix[2] == 3 && prefix[3] == 4) {
            throw new CheckpointException(
                    "%s is a zip archive (a torch .bin file?), not a safetensors file".formatted(file));
        }
        if (length < 2 || length > LARGEST_HEADER || length > size - PREFIX_BYTES) {
            throw new CheckpointException(
                    "%s: a header of %s bytes cannot be in a file of %d bytes: truncated or not a safetensors file"
                            .formatted(file, Long.toUnsignedString(length), size));
        }
        return read(channel, PREFIX_BYTES, (int) length);
    }

    private static byte[] read(FileChannel channel, long position, int length) throws IOException {
        byte[] bytes = new byte[length];
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return bytes;
    }

    @Override
    public Path file() {
        return file;
    }

    /** Tensors by name, in the order of their data. */
    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return tensors;
    }

    /**
     * One tensor.
     *
     * @param name as in the file
     * @throws CheckpointException if there is none of that name
     */
    public TensorEntry tensor(String name) {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("%s holds no tensor '%s'".formatted(file, name));
        }
        return tensor;
    }

    /** The header's {@code __metadata__}; empty if there is none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Unmaps the file; no tensor of it may be read afterwards. */
    @Override
    public void close() {
        arena.close();
    }
}
