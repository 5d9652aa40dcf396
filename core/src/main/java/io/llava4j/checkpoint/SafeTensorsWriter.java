package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes safetensors files. The same tensors give the same bytes in whatever order they come: wide types first, so that
 * all data is aligned, then by name. Metadata always holds {@code format: pt}, which other readers ask for.
 */
public final class SafeTensorsWriter {
    private static final Comparator<TensorSource> FILE_ORDER = Comparator.comparingInt(
                    (TensorSource tensor) -> -tensor.dtype().bytes())
            .thenComparing(TensorSource::name);
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int ALIGNMENT = 8;

    private SafeTensorsWriter() {}

    /**
     * Writes one file in one step.
     *
     * @param metadata free strings for the header
     * @throws CheckpointException if it cannot be written; nothing is left behind
     */
    public static void write(Path file, Collection<TensorSource> tensors, Map<String, String> metadata) {
        requireDistinct(file, tensors);
        List<TensorSource> ordered = tensors.stream().sorted(FILE_ORDER).toList();
        requireSpace(file, totalBytes(ordered));
        byte[] header = header(ordered, metadata);
        AtomicFiles.write(file, channel -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
            ByteBuffer length = ByteBuffer.allocate(SafeTensors.PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            write(channel, MemorySegment.ofArray(length.putLong(header.length).array()), buffer);
            write(channel, MemorySegment.ofArray(header), buffer);
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
                write(channel, data, buffer);
            }
        });
    }

    /**
     * Writes a model's tensors to a folder: {@code model.safetensors}, or several shards and their index where they
     * exceed {@code maxShardBytes}. Each file is written in one step and the index comes last; for the whole to appear
     * in one step, use this within {@link AtomicFiles#writeDirectory}.
     *
     * @param maxShardBytes most bytes of data in one shard; a larger tensor gets a shard of its own
     */
    public static void writeSharded(
            Path directory, Collection<TensorSource> tensors, Map<String, String> metadata, long maxShardBytes) {
        requireDistinct(directory, tensors);
        requireSpace(directory.resolve(WeightFiles.SINGLE), totalBytes(tensors));
        List<List<TensorSource>> shards = shards(tensors, maxShardBytes);
        if (shards.size() == 1) {
            write(directory.resolve(WeightFiles.SINGLE), tensors, metadata);
            return;
        }
        Map<String, String> weightMap = new TreeMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
            write(directory.resolve(name), shards.get(i), metadata);
            shards.get(i).forEach(tensor -> weightMap.put(tensor.name(), name));
        }
        ObjectNode index = StrictJson.MAPPER.createObjectNode();
        index.putObject("metadata").put("total_size", totalBytes(tensors));
        ObjectNode map = index.putObject("weight_map");
        weightMap.forEach(map::put);
        AtomicFiles.write(directory.resolve(WeightFiles.INDEX), StrictJson.pretty(index));
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
        byte[] padded = Arrays.copyOf(json, Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    private static void write(FileChannel channel, MemorySegment data, ByteBuffer buffer) throws IOException {
        MemorySegment staging = MemorySegment.ofBuffer(buffer.clear());
        for (long at = 0; at < data.byteSize(); at += BUFFER_BYTES) {
            long count = Math.min(BUFFER_BYTES, data.byteSize() - at);
            MemorySegment.copy(data, at, staging, 0, count);
            buffer.clear().limit((int) count);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
    }

    private static long totalBytes(Collection<TensorSource> tensors) {
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

    /** Better refused at once than after the first hours of a long write. */
    private static void requireSpace(Path file, long bytes) {
        Path folder = file.toAbsolutePath().getParent();
        while (folder != null && !Files.exists(folder)) {
            folder = folder.getParent();
        }
        if (folder == null) {
            return;
        }
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < bytes) {
                throw new CheckpointException(String.format(
                        Locale.ROOT,
                        "%s needs %.1f MB but its disk has only %.1f MB left; free some space",
                        file,
                        bytes / 1e6,
                        free / 1e6));
            }
        } catch (IOException e) {
            throw FileErrors.cannotWrite(file, e);
        }
    }
}
