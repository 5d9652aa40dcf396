package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import java.nio.file.Path;
import java.util.Map;

/** The shape of a projector that is stored without a configuration. */
public final class ProjectorShape {
    private ProjectorShape() {}

    public static ModelKind.Projector infer(Path where, Map<String, TensorEntry> tensors) {
        // A lone linear is stored without an index in the sequence.
        String first = tensors.containsKey(CanonicalNames.PROJECTOR + "weight") ? "weight" : "0.weight";
        TensorEntry weight = tensors.get(CanonicalNames.PROJECTOR + first);
        if (weight == null
                || weight.shape().length != 2
                || weight.shape()[0] > Integer.MAX_VALUE
                || weight.shape()[1] > Integer.MAX_VALUE) {
            throw new CheckpointException("%s: the projector's first matrix %s%s is missing or no matrix"
                    .formatted(where, CanonicalNames.PROJECTOR, first));
        }
        long linears = tensors.keySet().stream()
                .filter(name -> name.endsWith(".weight"))
                .count();
        return new ModelKind.Projector(
                first.equals("weight") ? "linear" : "mlp%dx_gelu".formatted(linears), (int) weight.shape()[1], (int)
                        weight.shape()[0]);
    }
}
