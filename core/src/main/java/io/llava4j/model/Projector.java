package io.llava4j.model;

import io.llava4j.ConfigException;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The projector between tower and decoder (docs/reference/model.md#projector): {@code linear}, {@code mlpNx_gelu} (exact-erf GELU between
 * the linear layers) or {@code identity}.
 */
public final class Projector {
    /** Where the projector's tensors stand among the canonical names. */
    public static final String PREFIX = "model.mm_projector.";

    private static final Pattern MLP = Pattern.compile("mlp(\\d+)x_gelu");

    private final List<Linear> layers = new ArrayList<>();

    /**
     * Reads the projector's tensors.
     *
     * @param type {@code linear}, {@code mlpNx_gelu} or {@code identity}
     * @param weights tensors under {@link #PREFIX}
     */
    public Projector(String type, Weights weights) {
        for (String name : layerNames(type)) {
            layers.add(new Linear(weights, PREFIX + name));
        }
    }

    /**
     * Names of the linear layers, without {@link #PREFIX}: an MLP's stand at even places, its GELUs between them.
     *
     * @throws ConfigException if the type is unknown
     */
    public static List<String> layerNames(String type) {
        if (type.equals("identity")) {
            return List.of();
        }
        if (type.equals("linear")) {
            return List.of("");
        }
        Matcher matcher = MLP.matcher(type);
        if (!matcher.matches() || matcher.group(1).length() > 2 || Integer.parseInt(matcher.group(1)) < 1) {
            throw new ConfigException("projector type '" + type + "' is unknown; use linear, mlp2x_gelu or identity");
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(matcher.group(1)); i++) {
            names.add(2 * i + ".");
        }
        return names;
    }

    /** {@code [images, patches, vision hidden] -> [images, patches, text hidden]}. */
    public Tensor forward(Tensor features) {
        Tensor x = features;
        for (int i = 0; i < layers.size(); i++) {
            x = layers.get(i).forward(i == 0 ? x : torch.gelu(x));
        }
        return x;
    }
}
