package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.gguf.GgufConfigs;
import io.llava4j.checkpoint.gguf.GgufTokenizer;
import io.llava4j.checkpoint.gguf.GgufWriter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.RopePermutation;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.io.MappedMemory;
import io.llava4j.io.Scratch;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Writes a model as two GGUF files: the language model's, and one of tower and projector (mmproj). */
final class GgufConversion {
    private final Checkpoint source;
    private final LlavaConfig config;
    private final @Nullable GgufTypes types;
    private final Map<String, float[]> importance;
    private final Converter.Progress progress;
    private final TensorCast cast = new TensorCast();
    private final Scratch permuted = new Scratch();
    private int written;

    /**
     * @param types null keeps the type of every matrix
     * @param importance of the columns of some matrices, by canonical name
     */
    GgufConversion(
            Checkpoint source,
            @Nullable GgufTypes types,
            Map<String, float[]> importance,
            Converter.Progress progress) {
        this.source = source;
        this.config = source.config();
        if (!config.tiling().isNone()) {
            throw new CheckpointException(
                    "this model cannot be written as GGUF: it tiles images, which llava4j does not write for llama.cpp");
        }
        this.types = types;
        this.importance = importance;
        this.progress = progress;
    }

    void write(Path directory, String name) {
        List<TensorEntry> language = new ArrayList<>();
        List<TensorEntry> mmproj = new ArrayList<>();
        for (TensorEntry tensor : source.tensors().values()) {
            (CanonicalNames.isOfImages(tensor.name()) ? mmproj : language).add(tensor);
        }
        BlockFormat type =
                types == null ? mainType(language) : types.languageModel().format();
        BlockFormat imageType =
                types == null ? mainType(mmproj) : types.visionTower().format();
        TextConfig text = config.text();
        SequencedMap<String, Object> mmprojKeys = GgufConfigs.llavaKeys(name, config, imageType);
        SequencedMap<String, Object> textKeys = GgufConfigs.textKeys(name, text, type);
        GgufTokenizer.addTo(textKeys, text, source.tokenizer().orElse(null), config.imageTokenId());
        String label = types == null ? type.name() : types.languageModel().name();
        GgufWriter.write(directory.resolve("model-" + label + ".gguf"), textKeys, sources(language));
        GgufWriter.write(directory.resolve("mmproj-" + imageType + ".gguf"), mmprojKeys, sources(mmproj));
    }

    private List<GgufWriter.Source> sources(List<TensorEntry> tensors) {
        return tensors.stream().map(this::source).toList();
    }

    private GgufWriter.Source source(TensorEntry tensor) {
        BlockFormat type = types == null
                ? GgufTypes.fitting(tensor.name(), tensor.shape(), narrowed(tensor.storedFormat()))
                : types.of(tensor, config.text());
        int heads = RopePermutation.heads(tensor.name(), config.text());
        long[] shape = tensor.shape();
        return new GgufWriter.Source(CheckpointLayout.GGUF.onDisk(tensor.name()), type, shape, () -> {
            progress.tensor(tensor.name(), ++written, source.tensors().size());
            MemorySegment stored = tensor.storedData();
            MemorySegment data = stored;
            if (heads > 0) {
                MemorySegment interleaved = permuted.take(data.byteSize());
                RopePermutation.interleave(data, heads, shape[0], interleaved);
                data = interleaved;
            }
            MemorySegment result = cast.cast(
                    tensor.name(), tensor.storedFormat(), data, tensor.elements(), type, importance.get(tensor.name()));
            if (!result.equals(stored)) {
                MappedMemory.release(stored);
            }
            return result;
        });
    }

    /** The type of most bytes. */
    private static BlockFormat mainType(List<TensorEntry> tensors) {
        Map<BlockFormat, Long> bytes = new EnumMap<>(BlockFormat.class);
        tensors.forEach(tensor -> bytes.merge(narrowed(tensor.storedFormat()), tensor.storedBytes(), Long::sum));
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(BlockFormat.F32);
    }

    /** llama.cpp computes nothing from 64-bit weights. */
    private static BlockFormat narrowed(BlockFormat type) {
        return type == BlockFormat.F64 ? BlockFormat.F32 : type;
    }
}
