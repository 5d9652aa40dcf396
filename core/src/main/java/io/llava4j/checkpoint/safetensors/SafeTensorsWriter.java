package io.llava4j.checkpoint.safetensors;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.io.SegmentWriter;
import io.llava4j.io.StrictJson;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes safetensors files. The same tensors give the same bytes in any order: they are sorted by type, wide ones first,
 * so that all data is aligned, then by name. Metadata always holds {@code format: pt}, which other readers require.
 */
public final class SafeTensorsWriter {
    private static final Comparator<TensorSource> FILE_ORDER = Comparator.comparingInt(
                    (TensorSource tensor) -> -tensor.dtype().bytes())
            .thenComparing(TensorSource::name);
    /** The data begins at a multiple of a cache line, so that kernels can compute from a mapped file. */
    private static final int ALIGNMENT = 64;

    private SafeTensorsWriter() {}

    /**
     * Writes one file atomically.
     *
     * @param metadata free strings for the header
     * @throws CheckpointException if it cannot be written; then no file remains
     */
    public static void write(Path file, Collection<TensorSource> tensors, Map<String, String> metadata) {
        requireDistinct(file, tensors);
        List<TensorSource> ordered = inFileOrder(tensors);
        SegmentWriter.requireSpace(file, totalBytes(ordered));
        byte[] header = header(ordered, metadata);
        AtomicFiles.write(file, channel -> {
            SegmentWriter out = new SegmentWriter(channel);
            ByteBuffer length = ByteBuffer.allocate(SafeTensors.PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            out.write(length.putLong(header.length).array());
            out.write(header);
            for (TensorSource tensor : ordered) {
                MemorySegment data = tensor.data().get();
                if (data.byteSize() != tensor.byteSize()) {
                    throw new CheckpointException("tensor '%s' of shape %s has %d bytes where %d are needed"
                            .formatted(
                                    tensor.name(),
                                    Arrays.toString(tensor.shape()),
                                    data.byteSize(),
                                    tensor.byteSize()));
                }
                out.write(data);
            }
        });
    }

    /**
     * Writes the tensors of a model to a folder: {@code model.safetensors}, or several shards and their index if they
     * exceed {@code maxShardBytes}. Each file is written atomically, the index last; for an atomic folder use this within
     * {@link AtomicFiles#writeDirectory}.
     *
     * @param maxShardBytes maximum data of one shard in bytes; a larger tensor gets a shard of its own
     */
    public static void writeSharded(
            Path directory, Collection<TensorSource> tensors, Map<String, String> metadata, long maxShardBytes) {
        SequencedMap<String, List<TensorSource>> files = files(directory, tensors, maxShardBytes);
        SegmentWriter.requireSpace(directory.resolve(SafeTensors.SINGLE), totalBytes(tensors));
        files.forEach((name, content) -> write(directory.resolve(name), content, metadata));
        writeIndex(directory, files);
    }

    /** The files that {@link #writeSharded} writes, by name, with the tensors of each. */
    public static SequencedMap<String, List<TensorSource>> files(
            Path directory, Collection<TensorSource> tensors, long maxShardBytes) {
        requireDistinct(directory, tensors);
        List<List<TensorSource>> shards = shards(tensors, maxShardBytes);
        SequencedMap<String, List<TensorSource>> files = new LinkedHashMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
            files.put(shards.size() == 1 ? SafeTensors.SINGLE : name, shards.get(i));
        }
        return files;
    }

    /** Writes the index of several shards; a single file needs none. */
    public static void writeIndex(Path directory, SequencedMap<String, List<TensorSource>> files) {
        if (files.size() == 1) {
            return;
        }
        Map<String, String> fileOf = new TreeMap<>();
        files.forEach((name, tensors) -> tensors.forEach(tensor -> fileOf.put(tensor.name(), name)));
        ObjectNode index = StrictJson.MAPPER.createObjectNode();
        index.putObject("metadata")
                .put(
                        "total_size",
                        files.values().stream()
                                .mapToLong(SafeTensorsWriter::totalBytes)
                                .sum());
        ObjectNode map = index.putObject("weight_map");
        fileOf.forEach(map::put);
        AtomicFiles.write(directory.resolve(SafeTensors.INDEX), StrictJson.pretty(index));
    }

    /** Whether a file has the length and the header that {@link #write} would give it; the data is not read. */
    public static boolean isWritten(Path file, Collection<TensorSource> tensors, Map<String, String> metadata) {
        byte[] header = header(inFileOrder(tensors), metadata);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long start = (long) SafeTensors.PREFIX_BYTES + header.length;
            if (channel.size() != start + totalBytes(tensors)) {
                return false;
            }
            ByteBuffer found = ByteBuffer.allocate(Math.toIntExact(start)).order(ByteOrder.LITTLE_ENDIAN);
            while (found.hasRemaining() && channel.read(found) >= 0) {
                continue;
            }
            return found.flip().remaining() == start
                    && found.getLong() == header.length
                    && found.equals(ByteBuffer.wrap(header));
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    private static List<TensorSource> inFileOrder(Collection<TensorSource> tensors) {
        return tensors.stream().sorted(FILE_ORDER).toList();
    }

    private static List<List<TensorSource>> shards(Collection<TensorSource> tensors, long maxShardBytes) {
        List<List<TensorSource>> shards = new ArrayList<>();
        shards.add(new ArrayList<>());
        long bytes = 0;
        for (TensorSource tensor : tensors.stream()
                .sorted(Comparator.comparing(TensorSource::name))
                .toList()) {
            if (!shards.getLast().isEmpty() && bytes + tensor.byteSize() > maxShardBytes) {
                shards.add(new ArrayList<>());
                bytes = 0;
            }
            shards.getLast().add(tensor);
            bytes += tensor.byteSize();
        }
        return shards;
    }

    private static byte[] header(List<TensorSource> tensors, Map<String, String> metadata) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        ObjectNode meta = root.putObject(SafeTensorsHeader.METADATA);
        Map<String, String> strings = new TreeMap<>(metadata);
        strings.putIfAbsent("format", "pt");
        strings.forEach(meta::put);
        long offset = 0;
        for (TensorSource tensor : tensors) {
            ObjectNode entry = root.putObject(tensor.name());
            entry.put("dtype", tensor.dtype().name());
            ArrayNode shape = entry.putArray("shape");
            Arrays.stream(tensor.shape()).forEach(shape::add);
            entry.putArray("data_offsets").add(offset).add(offset + tensor.byteSize());
            offset += tensor.byteSize();
        }
        byte[] json = StrictJson.MAPPER.writeValueAsBytes(root);
        int prefix = SafeTensors.PREFIX_BYTES;
        byte[] padded = Arrays.copyOf(json, Math.ceilDiv(prefix + json.length, ALIGNMENT) * ALIGNMENT - prefix);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    /** Size of the data of all tensors in bytes. */
    public static long totalBytes(Collection<TensorSource> tensors) {
        return tensors.stream().mapToLong(TensorSource::byteSize).reduce(0, Math::addExact);
    }

    private static void requireDistinct(Path target, Collection<TensorSource> tensors) {
        Set<String> names = new HashSet<>();
        for (TensorSource tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new CheckpointException("%s: tensor '%s' is given twice".formatted(target, tensor.name()));
            }
        }
    }
}
