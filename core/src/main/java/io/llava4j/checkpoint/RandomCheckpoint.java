package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.FileErrors;
import io.llava4j.io.Progress;
import io.llava4j.io.Scratch;
import io.llava4j.io.SegmentWriter;
import io.llava4j.io.StrictJson;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Writes a model folder with random weights in the shapes of a configuration, to measure loading, memory and speed of a
 * size whose real weights are not available. Its answers are meaningless.
 *
 * <p>Norms are 1, biases 0, everything else is normal with standard deviation 0.02. The elements of a tensor depend only
 * on the seed and its name, so that an interrupted write resumes after the last complete file. All cores draw them, into
 * memory for the largest tensor.
 */
public final class RandomCheckpoint {
    /** Small enough that an interruption loses little. */
    private static final long SHARD_BYTES = 2_000_000_000L;

    private static final double DEVIATION = 0.02;

    /** Elements are drawn from a table of this size, each by 16 bits of a random word. */
    private static final int TABLE = 1 << 16;

    /** Elements that a thread draws at a time; a multiple of four. */
    private static final long PART = 1 << 20;

    private final ModelKind kind;
    private final DType type;
    private final long seed;
    private final long shardBytes;
    private final short[] halves;
    private final float[] floats = new float[TABLE];
    private final Scratch scratch = new Scratch();

    /**
     * @param kind of the model; not a projector alone
     * @param type of every tensor: F32, F16 or BF16
     * @param seed of all elements
     */
    public RandomCheckpoint(ModelKind kind, DType type, long seed) {
        this(kind, type, seed, SHARD_BYTES);
    }

    RandomCheckpoint(ModelKind kind, DType type, long seed, long shardBytes) {
        if (type != DType.F32 && type != DType.F16 && type != DType.BF16) {
            throw new CheckpointException("random weights are written as F32, F16 or BF16, not as " + type);
        }
        this.shardBytes = shardBytes;
        this.kind = kind;
        this.type = type;
        this.seed = seed;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < TABLE; i++) {
            floats[i] = (float) (random.nextGaussian() * DEVIATION);
        }
        this.halves = type == DType.F32
                ? new short[0]
                : TensorCast.rounded("table", floats, type).toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
    }

    /**
     * The type that a configuration names, {@code torch_dtype} or {@code dtype}.
     *
     * @param directory of config.json
     * @return empty if it names none
     * @throws ConfigException if it is none of float32, float16 and bfloat16
     */
    public static Optional<DType> typeOf(Path directory) {
        Path config = directory.resolve(ModelConfigs.FILE);
        JsonNode root = StrictJson.object(config);
        for (JsonNode node : List.of(root, root.path("text_config"))) {
            for (String key : List.of("torch_dtype", "dtype")) {
                JsonNode value = node.path(key);
                if (value.isString()) {
                    return Optional.of(
                            switch (value.stringValue()) {
                                case "float32" -> DType.F32;
                                case "float16" -> DType.F16;
                                case "bfloat16" -> DType.BF16;
                                default ->
                                    throw new ConfigException(
                                            "%s: %s is %s; random weights are float32, float16 or bfloat16: choose one with --dtype"
                                                    .formatted(config, key, value.stringValue()));
                            });
                }
            }
        }
        return Optional.empty();
    }

    /** Parameter count of the model. */
    public long parameters() {
        return SafeTensorsWriter.totalBytes(tensors()) / type.bytes();
    }

    /**
     * Writes the folder file by file, each atomically, the configuration last. Resumes an interrupted write of the same
     * model.
     *
     * @param tokenizerDir folder whose tokenizer files are copied; null for none
     * @param progress gets the bytes written and in all, after every tensor
     * @throws CheckpointException if the folder holds other files, or the disk has not enough space
     */
    public void write(Path directory, @Nullable Path tokenizerDir, Progress progress) {
        Map<String, String> metadata = Map.of("weights", "random, seed " + seed);
        List<TensorSource> tensors = tensors();
        SequencedMap<String, List<TensorSource>> files = SafeTensorsWriter.files(directory, tensors, shardBytes);
        long total = SafeTensorsWriter.totalBytes(tensors);
        List<String> missing = new ArrayList<>();
        long[] done = {total};
        files.forEach((name, content) -> {
            if (!SafeTensorsWriter.isWritten(directory.resolve(name), content, metadata)) {
                missing.add(name);
                done[0] -= SafeTensorsWriter.totalBytes(content);
            }
        });
        if (!missing.isEmpty()) {
            requireOwn(
                    directory,
                    files.keySet().stream()
                            .filter(name -> !missing.contains(name))
                            .toList());
        }
        SegmentWriter.requireSpace(directory.resolve(SafeTensors.SINGLE), total - done[0]);
        progress.update(done[0], total);
        for (String name : missing) {
            List<TensorSource> content = files.getOrDefault(name, List.of()).stream()
                    .map(tensor -> tensor.withData(() -> {
                        MemorySegment data = tensor.data().get();
                        done[0] += data.byteSize();
                        progress.update(done[0], total);
                        return data;
                    }))
                    .toList();
            SafeTensorsWriter.write(directory.resolve(name), content, metadata);
        }
        SafeTensorsWriter.writeIndex(directory, files);
        try {
            CheckpointWriter.writeCompanions(directory, kind, type, tokenizerDir);
        } catch (IOException e) {
            throw FileErrors.cannotWrite(directory, e);
        }
    }

    /** An interrupted folder holds only complete files of this model and temporary files. */
    private static void requireOwn(Path directory, List<String> own) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.sorted().toList()) {
                String name = entry.getFileName().toString();
                if (!own.contains(name) && !name.endsWith(".partial")) {
                    throw new CheckpointException(
                            "%s holds %s, which is not part of these random weights; name an empty or a new folder"
                                    .formatted(directory, name));
                }
            }
        } catch (IOException e) {
            throw FileErrors.cannotRead(directory, e);
        }
    }

    private List<TensorSource> tensors() {
        List<TensorSource> tensors = new ArrayList<>();
        ExpectedTensors.of(kind)
                .shapes()
                .forEach((name, shape) -> tensors.add(new TensorSource(name, type, shape, () -> data(name, shape))));
        return List.copyOf(CheckpointWriter.namesOnDisk(kind, tensors));
    }

    /** The elements of a tensor, in memory that the next tensor overwrites. */
    private MemorySegment data(String name, long[] shape) {
        long count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        MemorySegment data = scratch.take(count * type.bytes());
        if (shape.length == 1 && name.endsWith(".weight")) {
            fill(data, count, 1);
        } else if (name.endsWith(".bias")) {
            fill(data, count, 0);
        } else {
            LongStream.range(0, Math.ceilDiv(count, PART))
                    .parallel()
                    .forEach(part -> random(name, data, part, Math.min(count, (part + 1) * PART)));
        }
        return data;
    }

    private void fill(MemorySegment data, long count, float value) {
        MemorySegment one = TensorCast.rounded("constant", new float[] {value}, type);
        for (long i = 0; i < count; i++) {
            MemorySegment.copy(one, 0, data, i * type.bytes(), type.bytes());
        }
    }

    /** Every part has a generator of its own, so that threads fill them in any order. */
    private void random(String name, MemorySegment data, long part, long end) {
        SplittableRandom random =
                new SplittableRandom((seed * 0x9E3779B97F4A7C15L + name.hashCode()) * 0x9E3779B97F4A7C15L + part);
        long word = 0;
        for (long i = part * PART; i < end; i++) {
            word = (i & 3) == 0 ? random.nextLong() : word >>> 16;
            int drawn = (int) word & TABLE - 1;
            if (type == DType.F32) {
                data.setAtIndex(ValueLayout.JAVA_FLOAT, i, floats[drawn]);
            } else {
                data.setAtIndex(ValueLayout.JAVA_SHORT, i, halves[drawn]);
            }
        }
    }
}
