package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ModelConfigWriter;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.huggingface.TokenizerFiles;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ExpectedTensors.TensorInfo;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Saves whole models in the liuhaotian layout with the tower embedded, towers as CLIP and language models as LLaMA, each
 * with its configuration and tokenizer. {@link Checkpoint#open} reads them back; so do other tools, except for a tower with
 * a convolutional stem.
 */
public final class CheckpointWriter {
    /** Maximum size of a shard, as in transformers. */
    static final long MAX_SHARD_BYTES = 5_000_000_000L;

    private CheckpointWriter() {}

    /**
     * Saves a model folder atomically: it appears whole or not at all.
     *
     * @param directory must not exist yet, or be empty
     * @param kind configuration of the model; a projector alone goes to {@link SafeTensorsWriter#write}
     * @param tokenizerDir folder whose tokenizer files are copied; null for none
     * @param tensors all tensors by canonical name; a CLIP model may include its text tower under CLIP's own names
     * @throws CheckpointException if tensors are missing, unexpected or misshapen, or cannot be written
     */
    public static void save(
            Path directory, ModelKind kind, @Nullable Path tokenizerDir, Collection<TensorSource> tensors) {
        AtomicFiles.writeDirectory(
                directory, partial -> writeInto(partial, directory, kind, tokenizerDir, tensors, MAX_SHARD_BYTES));
    }

    /**
     * As {@link #save}, but into a folder to which the caller adds more files, such as training state, within
     * {@link AtomicFiles#writeDirectory}.
     *
     * @param directory to write to
     * @param maxShardBytes as in {@link SafeTensorsWriter#writeSharded}
     */
    static void writeInto(
            Path directory,
            ModelKind kind,
            @Nullable Path tokenizerDir,
            Collection<TensorSource> tensors,
            long maxShardBytes)
            throws IOException {
        writeInto(directory, directory, kind, tokenizerDir, tensors, maxShardBytes);
    }

    private static void writeInto(
            Path directory,
            Path shown,
            ModelKind kind,
            @Nullable Path tokenizerDir,
            Collection<TensorSource> tensors,
            long maxShardBytes)
            throws IOException {
        requireComplete(shown, kind, tensors);
        writeCompanions(directory, kind, mainType(tensors), tokenizerDir);
        SafeTensorsWriter.writeSharded(directory, namesOnDisk(kind, tensors), Map.of(), maxShardBytes);
    }

    /** Writes the files that accompany the weights: configurations and tokenizer. */
    static void writeCompanions(Path directory, ModelKind kind, DType type, @Nullable Path tokenizerDir)
            throws IOException {
        json(directory.resolve(ModelConfigs.FILE), ModelConfigWriter.write(kind, type));
        switch (kind) {
            case ModelKind.Llava llava -> {
                generation(directory, llava.config().text());
                json(
                        directory.resolve(ModelConfigs.PREPROCESSOR_FILE),
                        ModelConfigWriter.preprocessor(llava.config().vision()));
            }
            case ModelKind.Clip clip ->
                json(directory.resolve(ModelConfigs.PREPROCESSOR_FILE), ModelConfigWriter.preprocessor(clip.vision()));
            case ModelKind.Llama llama -> generation(directory, llama.text());
            case ModelKind.Projector projector -> throw new IllegalArgumentException(projector.label());
        }
        if (tokenizerDir != null) {
            TokenizerFiles.copy(tokenizerDir, directory);
        }
    }

    private static void requireComplete(Path shown, ModelKind kind, Collection<TensorSource> tensors) {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        for (TensorSource tensor : tensors) {
            if (!(kind instanceof ModelKind.Clip && CheckpointLayout.CLIP.ignores(tensor.name()))) {
                infos.put(tensor.name(), new TensorInfo(tensor.dtype(), tensor.shape()));
            }
        }
        ExpectedTensors.of(kind).require(shown, infos, List.of());
    }

    static Collection<TensorSource> namesOnDisk(ModelKind kind, Collection<TensorSource> tensors) {
        if (!(kind instanceof ModelKind.Clip)) {
            return tensors;
        }
        List<TensorSource> renamed = new ArrayList<>();
        for (TensorSource tensor : tensors) {
            renamed.add(
                    tensor.name().startsWith(CanonicalNames.TOWER)
                            ? tensor.withName("vision_model." + tensor.name().substring(CanonicalNames.TOWER.length()))
                            : tensor);
        }
        return renamed;
    }

    /** The type of most bytes. */
    static DType mainType(Collection<TensorSource> tensors) {
        Map<DType, Long> bytes = new EnumMap<>(DType.class);
        tensors.forEach(tensor -> bytes.merge(tensor.dtype(), tensor.byteSize(), Long::sum));
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(DType.F32);
    }

    static void generation(Path directory, TextConfig text) {
        json(directory.resolve(ModelConfigs.GENERATION_FILE), ModelConfigWriter.generation(text));
    }

    static void json(Path file, ObjectNode content) {
        AtomicFiles.write(file, StrictJson.pretty(content));
    }
}
