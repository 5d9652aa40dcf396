package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ChatTemplate;
import io.llava4j.checkpoint.huggingface.ModelConfigWriter;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.huggingface.TokenizerFiles;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
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
        Q4_0,
        /** GGUF only: the language model's matrices in Q4_K, the ones that matter most in Q6_K ({@link GgufTypes}). */
        Q4_K_M;

        /** Whether only GGUF has this type. */
        public boolean isQuantised() {
            return format().isQuantised();
        }

        /** The type of most weights. */
        BlockFormat format() {
            return this == Q4_K_M ? BlockFormat.Q4_K : BlockFormat.valueOf(name());
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
     * @param precision null keeps the type of every tensor; in GGUF, {@link GgufTypes#of} says what it means
     * @throws CheckpointException if the source is not a whole model, the layout cannot represent it, or it cannot be written
     */
    public static void convert(
            Checkpoint source,
            Path directory,
            CheckpointLayout layout,
            @Nullable Precision precision,
            Progress progress) {
        if (layout == CheckpointLayout.GGUF) {
            writeGguf(source, directory, precision == null ? null : GgufTypes.of(precision), Map.of(), progress);
            return;
        }
        source.requireComplete();
        Converter converter = new Converter(source, progress);
        AtomicFiles.writeDirectory(directory, partial -> {
            switch (layout) {
                case LIUHAOTIAN -> converter.liuhaotian(partial, precision);
                case HF_OLD, HF_NEW -> converter.huggingFace(partial, layout, precision);
                case GGUF, CLIP, PROJECTOR_ONLY -> throw new IllegalArgumentException(layout.name());
            }
        });
    }

    /**
     * Writes a model as GGUF: {@code model-TYPE.gguf} and {@code mmproj-TYPE.gguf}.
     *
     * @param source a whole LLaVA model; stays open
     * @param directory must not exist yet, or be empty
     * @param types null keeps the type of every matrix
     * @param importance of the columns of matrices, by canonical name: what their errors in 4 bits are weighted with
     * @throws CheckpointException if the source is not a whole model, llama.cpp cannot represent it, a number does not fit
     *     its type, or the files cannot be written
     */
    public static void writeGguf(
            Checkpoint source,
            Path directory,
            @Nullable GgufTypes types,
            Map<String, float[]> importance,
            Progress progress) {
        source.requireComplete();
        String name = directory.toAbsolutePath().normalize().getFileName().toString();
        GgufConversion conversion = new GgufConversion(source, types, importance, progress);
        AtomicFiles.writeDirectory(directory, partial -> conversion.write(partial, name));
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
        if (!config.tiling().isNone() && !config.tiling().hasRowEnd()) {
            throw new CheckpointException(
                    "this model cannot be written for transformers: it merges tiles as %s, and transformers knows spatial_unpad only"
                            .formatted(config.tiling().merge().configName()));
        }
        if (!config.vision().stemChannels().isEmpty() || !config.projectorType().equals("mlp2x_gelu")) {
            throw new CheckpointException("this model cannot be written for transformers: %s, which it does not compute"
                    .formatted(
                            config.vision().stemChannels().isEmpty()
                                    ? "its projector is " + config.projectorType()
                                    : "its tower begins with a convolutional stem"));
        }
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
