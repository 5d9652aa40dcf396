package io.llava4j.model.config;

import java.util.List;
import java.util.stream.Stream;

/**
 * The hidden states of the vision tower that the features of a patch consist of, one after another: the selected one; for a
 * TokenPacker also those that its keys and values are made of.
 *
 * @param states distinct, in ascending order; 0 is the output of the pre-LayerNorm, k that of block k
 * @param selected index of the selected state among them
 * @param levels indices of a TokenPacker's states among them, which may be the same in a small tower; empty without one
 */
public record FeatureStates(List<Integer> states, int selected, List<Integer> levels) {
    /** The states of TokenPacker's official code (docs/reference/model.md#tokenpacker), of CLIP ViT-L's {@value #DEPTH} blocks. */
    private static final List<Integer> OFFICIAL = List.of(12, 16, 22, 23);

    private static final int DEPTH = 24;

    /**
     * Those that a projector reads. A TokenPacker on a tower of another depth than 24 reads the first three states at the same
     * shares of the depth, rounded down, and the output of the last block but one.
     *
     * @throws io.llava4j.ConfigException if the tower has no such hidden state
     */
    static FeatureStates of(VisionConfig vision, int selectLayer, ProjectorType projector) {
        int chosen = vision.blocksBefore(selectLayer);
        if (projector.reduction() != ProjectorType.Reduction.TOKEN_PACKER) {
            return new FeatureStates(List.of(chosen), 0, List.of());
        }
        int depth = vision.layers();
        List<Integer> levels = OFFICIAL.stream()
                .map(state -> state == DEPTH - 1 ? Math.max(0, depth - 1) : state * depth / DEPTH)
                .toList();
        List<Integer> states = Stream.concat(levels.stream(), Stream.of(chosen))
                .distinct()
                .sorted()
                .toList();
        return new FeatureStates(
                states,
                states.indexOf(chosen),
                levels.stream().map(states::indexOf).toList());
    }

    /** Blocks that the tower must run. */
    public int depth() {
        return states.getLast();
    }

    /** Whether the features are all levels one after another, as keys and values read them. */
    public boolean areLevels() {
        return levels.equals(List.of(0, 1, 2, 3)) && states.size() == levels.size();
    }
}
