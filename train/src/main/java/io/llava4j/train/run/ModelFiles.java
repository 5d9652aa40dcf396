package io.llava4j.train.run;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.adapter.PeftAdapterWriter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Writes trained weights as model folders. */
public final class ModelFiles {
    /** File of a projector alone, as stage 1 leaves it. */
    public static final String PROJECTOR = "mm_projector.safetensors";

    private static final String PROJECTOR_TYPE = "mm_projector_type";

    private ModelFiles() {}

    /**
     * The type of a stored projector.
     *
     * @param path file or folder of a projector or of a whole model
     * @param checkpoint opened there
     * @return empty if neither file nor configuration names it
     */
    static Optional<String> projectorType(Path path, Checkpoint checkpoint) {
        if (checkpoint.kind() instanceof ModelKind.Llava llava) {
            return Optional.of(llava.config().projectorType());
        }
        Path file = Files.isDirectory(path) ? path.resolve(PROJECTOR) : path;
        if (!Files.exists(file) || !file.toString().endsWith(".safetensors")) {
            return Optional.empty();
        }
        try (SafeTensors tensors = SafeTensors.open(file)) {
            return Optional.ofNullable(tensors.metadata().get(PROJECTOR_TYPE));
        }
    }

    /**
     * Writes a projector alone, the result of stage 1 (docs/reference/training.md#checkpoints).
     *
     * @param directory must not exist yet
     * @param type its {@code mm_projector_type}, which the file names, because tensors do not show how patches are joined
     * @param dtype type on disk, F32 or BF16
     */
    public static void saveProjector(Path directory, String type, Weights weights, DType dtype) {
        List<TensorSource> tensors = new ArrayList<>();
        for (String name : weights.names()) {
            if (name.startsWith(CanonicalNames.PROJECTOR)) {
                tensors.add(source(name, weights, dtype));
            }
        }
        AtomicFiles.writeDirectory(
                directory,
                partial -> SafeTensorsWriter.write(partial.resolve(PROJECTOR), tensors, Map.of(PROJECTOR_TYPE, type)));
    }

    /**
     * Writes adapters and what was trained with them, projector and row-end token, in the files of PEFT and LLaVA.
     *
     * @param directory must not exist yet
     * @param adapter their configuration and the model they belong to
     * @param weights by canonical name
     * @param tokenizer folder whose tokenizer goes with it
     * @param dtype type on disk, F32 or BF16
     */
    public static void saveAdapter(
            Path directory, PeftAdapterWriter.Adapter adapter, Weights weights, Path tokenizer, DType dtype) {
        List<TensorSource> adapters = new ArrayList<>();
        List<TensorSource> others = new ArrayList<>();
        for (String name : weights.names()) {
            if (LoraConfig.isAdapter(name) || adapter.lora().saves(name)) {
                adapters.add(source(name, weights, dtype));
            } else if (name.startsWith(CanonicalNames.PROJECTOR) || name.equals(CanonicalNames.ROW_END)) {
                others.add(source(name, weights, dtype));
            }
        }
        PeftAdapterWriter.save(directory, adapter, tokenizer, adapters, others);
    }

    /**
     * Writes the tensors a model of this kind consists of; others, such as a contrastive head, are left out.
     *
     * @param directory must not exist yet
     * @param kind what is written
     * @param weights by canonical name
     * @param tokenizer folder whose tokenizer goes with it, or null
     * @param dtype type on disk, F32, F16 or BF16
     */
    public static void save(Path directory, ModelKind kind, Weights weights, @Nullable Path tokenizer, DType dtype) {
        List<TensorSource> tensors = new ArrayList<>();
        for (String name : ExpectedTensors.of(kind).shapes().keySet()) {
            tensors.add(source(name, weights, dtype));
        }
        CheckpointWriter.save(directory, kind, tokenizer, tensors);
    }

    private static TensorSource source(String name, Weights weights, DType dtype) {
        return TensorSource.rounded(
                name,
                dtype,
                () -> Engine.scope("saving " + name, () -> Tensors.toFloats(weights.read(name))),
                Tensors.shape(weights.get(name)));
    }
}
