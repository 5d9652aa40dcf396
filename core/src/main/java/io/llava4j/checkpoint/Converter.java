package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.gguf.GgufConfigs;
import io.llava4j.checkpoint.gguf.GgufTokenizer;
import io.llava4j.checkpoint.gguf.GgufWriter;
import io.llava4j.checkpoint.huggingface.ChatTemplate;
import io.llava4j.checkpoint.huggingface.ModelConfigWriter;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.huggingface.TokenizerFiles;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.RopePermutation;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.Scratch;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Converts whole models from any layout to another, with all the files that its tools expect. Tensors pass one by one, so
 * that a conversion needs memory for the largest only. The folder appears whole or not at all.
 */
public final class Converter {
    /** Storage type of the weights. */
    public enum Precision {
        F32,
        F16,
        BF16,
        /** GGUF only: the language model's matrices in blocks of bytes, each with a scale. */
        Q8_0,
        /** GGUF only: the language model's matrices in blocks of four bits, each with a scale; the LM head in Q8_0. */
        Q4_0;

        /** Whether only GGUF has this type. */
        public boolean isQuantised() {
            return this == Q8_0 || this == Q4_0;
        }
    }

    /** Receives the progress of a conversion. */
    @FunctionalInterface
    public interface Progress {
        /**
         * @param tensor canonical name of the tensor that is written next
         * @param number of this tensor, from 1
         * @param total number of tensors
         */
        void tensor(String tensor, int number, int total);
    }

    private final Checkpoint source;
    private final LlavaConfig config;
    private final @Nullable SentencePieceTokenizer tokenizer;
    private final Progress progress;
    private final TensorCast cast = new TensorCast();
    private final Scratch permuted = new Scratch();
    private int written;

    private Converter(Checkpoint source, Progress progress) {
        this.source = source;
        this.config = source.config();
        this.tokenizer = source.tokenizer().orElse(null);
        this.progress = progress;
    }

    /**
     * Converts a model.
     *
     * @param source a whole LLaVA model; stays open
     * @param directory must not exist yet, or be empty
     * @param layout {@code LIUHAOTIAN}, {@code HF_OLD}, {@code HF_NEW} or {@code GGUF}
     * @param precision null keeps the type of every tensor; in GGUF, the type of most weights
     * @throws CheckpointException if the source is not a whole model, the layout cannot represent it, or it cannot be written
     */
    public static void convert(
            Checkpoint source,
            Path directory,
            CheckpointLayout layout,
            @Nullable Precision precision,
            Progress progress) {
        source.requireComplete();
        Converter converter = new Converter(source, progress);
        AtomicFiles.writeDirectory(directory, partial -> {
            switch (layout) {
                case LIUHAOTIAN -> converter.liuhaotian(partial, precision);
                case HF_OLD, HF_NEW -> converter.huggingFace(partial, layout, precision);
                case GGUF -> converter.gguf(partial, name(directory), precision);
                case CLIP, PROJECTOR_ONLY -> throw new IllegalArgumentException(layout.name());
            }
        });
    }

    private static String name(Path directory) {
        return directory.toAbsolutePath().normalize().getFileName().toString();
    }

    private void liuhaotian(Path directory, @Nullable Precision precision) throws IOException {
        CheckpointWriter.writeInto(
                directory, source.kind(), null, tensors(precision), CheckpointWriter.MAX_SHARD_BYTES);
        if (source.layout() != CheckpointLayout.GGUF) {
            TokenizerFiles.copy(source.tokenizerDir(), directory);
        } else if (tokenizer != null) {
            TokenizerFiles.write(directory, tokenizer);
        }
    }

    private void huggingFace(Path directory, CheckpointLayout layout, @Nullable Precision precision)
            throws IOException {
        requireCommonParts();
        int vocabulary = tokenizer == null ? config.text().vocabSize() : tokenizer.idCount();
        LlavaConfig resized = EmbeddingResize.withImageToken(config, vocabulary);
        EmbeddingResize resize = new EmbeddingResize();
        List<TensorSource> tensors = new ArrayList<>();
        for (TensorSource tensor : tensors(precision)) {
            tensors.add(resize.resized(tensor, resized.text().vocabSize()).withName(layout.onDisk(tensor.name())));
        }
        CheckpointWriter.json(
                directory.resolve(ModelConfigs.FILE),
                ModelConfigWriter.huggingFace(resized, CheckpointWriter.mainType(tensors)));
        CheckpointWriter.generation(directory, resized.text());
        CheckpointWriter.json(
                directory.resolve(ModelConfigs.PREPROCESSOR_FILE), ModelConfigWriter.preprocessor(resized, layout));
        CheckpointWriter.json(directory.resolve("processor_config.json"), ModelConfigWriter.processor(resized));
        CheckpointWriter.json(
                directory.resolve("chat_template.json"),
                StrictJson.MAPPER.createObjectNode().put("chat_template", ChatTemplate.V1));
        if (tokenizer != null) {
            TokenizerFiles.writeWithImageToken(
                    directory, tokenizer, resized.imageTokenId(), resized.text().padTokenId());
        }
        SafeTensorsWriter.writeSharded(directory, tensors, Map.of(), CheckpointWriter.MAX_SHARD_BYTES);
    }

    /** Rejects what transformers' LLaVA cannot represent. */
    private void requireCommonParts() {
        if (!config.vision().stemChannels().isEmpty() || !config.projectorType().equals("mlp2x_gelu")) {
            throw new CheckpointException("this model cannot be written for transformers: %s, which it does not compute"
                    .formatted(
                            config.vision().stemChannels().isEmpty()
                                    ? "its projector is " + config.projectorType()
                                    : "its tower begins with a convolutional stem"));
        }
    }

    private void gguf(Path directory, String name, @Nullable Precision precision) {
        BlockFormat type = BlockFormat.valueOf(
                precision == null ? CheckpointWriter.mainType(tensors(null)).name() : precision.name());
        if (type == BlockFormat.F64) {
            type = BlockFormat.F32;
        }
        BlockFormat towerType = type.isQuantised() ? BlockFormat.F16 : type;
        TextConfig text = config.text();
        SequencedMap<String, Object> mmprojKeys = GgufConfigs.llavaKeys(name, config, towerType);
        SequencedMap<String, Object> textKeys = GgufConfigs.textKeys(name, text, type);
        GgufTokenizer.addTo(textKeys, text, tokenizer, config.imageTokenId());
        List<GgufWriter.Source> language = new ArrayList<>();
        List<GgufWriter.Source> mmproj = new ArrayList<>();
        for (TensorSource tensor : tensors(null)) {
            boolean tower = tensor.name().startsWith(CanonicalNames.TOWER)
                    || tensor.name().startsWith(CanonicalNames.PROJECTOR);
            (tower ? mmproj : language).add(ggufSource(tensor, tower ? towerType : type));
        }
        GgufWriter.write(directory.resolve("model-" + type + ".gguf"), textKeys, language);
        GgufWriter.write(directory.resolve("mmproj-" + towerType + ".gguf"), mmprojKeys, mmproj);
    }

    private GgufWriter.Source ggufSource(TensorSource tensor, BlockFormat wanted) {
        BlockFormat type = ggufType(tensor, wanted);
        int heads = RopePermutation.heads(tensor.name(), config.text());
        long[] shape = tensor.shape();
        return new GgufWriter.Source(CheckpointLayout.GGUF.onDisk(tensor.name()), type, shape, () -> {
            MemorySegment data = tensor.data().get();
            if (heads > 0) {
                MemorySegment interleaved = permuted.take(data.byteSize());
                RopePermutation.interleave(data, heads, shape[0], interleaved);
                data = interleaved;
            }
            BlockFormat own = BlockFormat.of(tensor.dtype()).orElseThrow();
            return cast.cast(
                    tensor.name(), own, data, tensor.byteSize() / tensor.dtype().bytes(), type);
        });
    }

    /**
     * llama.cpp keeps vectors and positions in F32, and the patch convolution in F32 or F16. The LM head, whose errors reach
     * the logits directly, never gets four bits; matrices whose rows are no whole blocks become F16.
     */
    private static BlockFormat ggufType(TensorSource tensor, BlockFormat wanted) {
        long[] shape = tensor.shape();
        if (shape.length == 1 || tensor.name().endsWith("position_embedding.weight")) {
            return BlockFormat.F32;
        }
        if (shape.length > 2) {
            return wanted == BlockFormat.F16 ? BlockFormat.F16 : BlockFormat.F32;
        }
        if (shape[1] % wanted.blockSize() != 0) {
            return BlockFormat.F16;
        }
        return wanted == BlockFormat.Q4_0 && tensor.name().equals(CanonicalNames.LM_HEAD) ? BlockFormat.Q8_0 : wanted;
    }

    /** The tensors of the source by canonical name, in the given precision. */
    private List<TensorSource> tensors(@Nullable Precision precision) {
        if (precision != null && precision.isQuantised()) {
            throw new CheckpointException(
                    "%s weights are written as GGUF only; choose f32, f16 or bf16".formatted(precision));
        }
        int total = source.tensors().size();
        List<TensorSource> tensors = new ArrayList<>();
        for (TensorEntry entry : source.tensors().values()) {
            DType wanted = precision == null ? entry.dtype() : DType.valueOf(precision.name());
            Supplier<MemorySegment> data = () -> {
                progress.tensor(entry.name(), ++written, total);
                return cast.cast(
                        entry.name(),
                        BlockFormat.of(entry.dtype()).orElseThrow(),
                        entry.data(),
                        entry.elements(),
                        BlockFormat.of(wanted).orElseThrow());
            };
            tensors.add(new TensorSource(entry.name(), wanted, entry.shape(), data));
        }
        return tensors;
    }
}
