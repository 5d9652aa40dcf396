package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.PeftAdapter;
import io.llava4j.checkpoint.TensorEntry;
import io.llava4j.checkpoint.TensorSource;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.nio.file.Path;
import java.util.Map;

/** From stored tensors to a network that can compute. */
public final class ModelLoader {
    private ModelLoader() {}

    /**
     * A loaded model.
     *
     * @param model the network, to be closed by the caller
     * @param tokenizer folder with its tokenizer
     */
    public record Loaded(LlavaModel model, Path tokenizer) {}

    /**
     * Loads a whole LLaVA model of any layout in 32-bit floats; a LoRA adapter is merged into its base.
     *
     * @param directory model folder, or folder of an adapter that names its base
     * @param device {@code cpu} or {@code cuda:N}
     * @throws CheckpointException naming the tensors that are missing, unexpected or misshapen
     */
    public static Loaded load(Path directory, String device) {
        if (PeftAdapter.isIn(directory)) {
            return merged(directory, device);
        }
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint.requireComplete();
            LlavaModel model = new LlavaModel(checkpoint.config(), weights(checkpoint.tensors(), device));
            return new Loaded(model, checkpoint.tokenizerDir());
        }
    }

    private static Loaded merged(Path directory, String device) {
        try (MergedModel merged = MergedModel.open(directory, null, null)) {
            Weights weights = new Weights();
            for (TensorSource source : merged.tensors()) {
                TensorEntry entry = new TensorEntry(
                        source.name(),
                        source.dtype(),
                        source.shape(),
                        source.data().get());
                addTo(weights, Map.of(entry.name(), entry), device);
            }
            return new Loaded(new LlavaModel(merged.config(), weights), merged.tokenizer());
        }
    }

    /** Copies stored tensors to a device as 32-bit floats, under the same names. */
    public static Weights weights(Map<String, TensorEntry> tensors, String device) {
        Weights weights = new Weights();
        addTo(weights, tensors, device);
        return weights;
    }

    /** Adds stored tensors to others. */
    public static void addTo(Weights weights, Map<String, TensorEntry> tensors, String device) {
        var place = Engine.device(device);
        tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
            weights.put(name, Tensors.of(entry.toFloats(), entry.shape()).to(place, Tensors.FLOAT));
            return null;
        }));
    }
}
