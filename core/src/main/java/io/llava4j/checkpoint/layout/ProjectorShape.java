package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import io.llava4j.model.config.ProjectorType;
import java.nio.file.Path;
import java.util.Map;

/** The shape of a projector that is stored without a configuration. */
public final class ProjectorShape {
    private ProjectorShape() {}

    /**
     * Reads type and widths off the tensors.
     *
     * @param where the checkpoint, for the message
     * @param tensors by canonical name
     * @throws CheckpointException if the first matrix is missing or no matrix
     */
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
        String type = first.equals("weight") ? ProjectorType.LINEAR.name() : ProjectorType.mlpName(linears);
        if (ProjectorType.find(type).isEmpty()) {
            throw new CheckpointException("%s: a projector of %d linear layers is unknown".formatted(where, linears));
        }
        return new ModelKind.Projector(type, (int) weight.shape()[1], (int) weight.shape()[0]);
    }
}
