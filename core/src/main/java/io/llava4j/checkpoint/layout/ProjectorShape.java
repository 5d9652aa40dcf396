package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import io.llava4j.model.config.ProjectorType;
import java.nio.file.Path;
import java.util.Map;

/** The shape of a projector that is stored without a configuration. */
public final class ProjectorShape {
    private ProjectorShape() {}

    /**
     * Reads type and widths off the tensors. They do not show how many patches become one image token: that of a TokenPacker is
     * given as 2 x 2, and a projector that joins patches before its MLP as an MLP.
     *
     * @param where the checkpoint, for the message
     * @param tensors by canonical name
     * @throws CheckpointException if the first matrix is missing or no matrix
     */
    public static ModelKind.Projector infer(Path where, Map<String, TensorEntry> tensors) {
        String packer = CanonicalNames.PROJECTOR + "q_proj_1.weight";
        if (tensors.containsKey(packer)) {
            return new ModelKind.Projector(
                    ProjectorType.tokenPacker(2).name(),
                    size(where, tensors, packer, 1),
                    size(where, tensors, CanonicalNames.PROJECTOR + "mlp.0.weight", 0));
        }
        // A lone linear is stored without an index in the sequence.
        String first = tensors.containsKey(CanonicalNames.PROJECTOR + "weight") ? "weight" : "0.weight";
        int in = size(where, tensors, CanonicalNames.PROJECTOR + first, 1);
        int out = size(where, tensors, CanonicalNames.PROJECTOR + first, 0);
        long linears = tensors.keySet().stream()
                .filter(name -> name.endsWith(".weight"))
                .count();
        String type = first.equals("weight") ? ProjectorType.LINEAR.name() : ProjectorType.mlpName(linears);
        if (ProjectorType.find(type).isEmpty()) {
            throw new CheckpointException("%s: a projector of %d linear layers is unknown".formatted(where, linears));
        }
        return new ModelKind.Projector(type, in, out);
    }

    private static int size(Path where, Map<String, TensorEntry> tensors, String name, int dimension) {
        TensorEntry weight = tensors.get(name);
        if (weight == null || weight.shape().length != 2 || weight.shape()[dimension] > Integer.MAX_VALUE) {
            throw new CheckpointException(
                    "%s: the projector's matrix %s is missing or no matrix".formatted(where, name));
        }
        return (int) weight.shape()[dimension];
    }
}
