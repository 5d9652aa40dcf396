package io.llava4j.train.run.shard;

import io.llava4j.ConfigException;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/**
 * Where each trainable tensor lies when all of them stand one after the other: tensors with the same settings of the optimiser
 * are neighbours. States of a run name elements by their place in this order, whatever processes hold them.
 *
 * @param tensors by canonical name, in order
 * @param groups segments with settings of their own
 * @param count number of elements
 */
public record ParameterLayout(Map<String, Place> tensors, List<Group> groups, long count) {
    /**
     * Where a tensor lies.
     *
     * @param offset first element
     * @param shape sizes, outermost first
     * @param length number of elements
     */
    public record Place(long offset, long[] shape, long length) {
        /** The tensor's view of a buffer of all elements. */
        public Tensor of(Tensor buffer) {
            return buffer.narrow(0, offset, length).view(shape);
        }
    }

    /**
     * Where the tensor of a name lies.
     *
     * @throws IllegalArgumentException if it is not trainable
     */
    public Place place(String name) {
        Place place = tensors.get(name);
        if (place == null) {
            throw new IllegalArgumentException(name);
        }
        return place;
    }

    /**
     * A segment with its own settings (docs/reference/training.md#optimizer).
     *
     * @param offset first element
     * @param length number of elements
     * @param projector whether it has the projector's learning rate
     * @param decay whether weight decay applies: not to biases and norms
     */
    public record Group(long offset, long length, boolean projector, boolean decay) {}

    /**
     * Lays out the chosen tensors.
     *
     * @param weights all tensors
     * @param trainable chooses by canonical name
     * @throws ConfigException if none is chosen
     */
    public static ParameterLayout of(Weights weights, Predicate<String> trainable) {
        Map<String, Place> tensors = new LinkedHashMap<>();
        List<Group> groups = new ArrayList<>();
        long offset = 0;
        for (boolean projector : new boolean[] {false, true}) {
            for (boolean decay : new boolean[] {true, false}) {
                long start = offset;
                for (String name : weights.names()) {
                    if (trainable.test(name)
                            && name.startsWith(ProjectorType.PREFIX) == projector
                            && decays(name, weights.get(name)) == decay) {
                        Tensor tensor = weights.get(name);
                        tensors.put(name, new Place(offset, Tensors.shape(tensor), tensor.numel()));
                        offset += tensor.numel();
                    }
                }
                if (offset > start) {
                    groups.add(new Group(start, offset - start, projector, decay));
                }
            }
        }
        if (tensors.isEmpty()) {
            throw new ConfigException("no tensor of the model is trainable; check the recipe's section 'trainable'");
        }
        return new ParameterLayout(tensors, groups, offset);
    }

    /** LLaVA's rule: no decay on biases and on the norms' weights, the only weights of one dimension beside DoRA's lengths. */
    private static boolean decays(String name, Tensor tensor) {
        boolean norm = tensor.dim() == 1 && name.endsWith(".weight") && !LoraConfig.isAdapter(name);
        return !norm && !name.endsWith(".bias");
    }
}
