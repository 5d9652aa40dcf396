package io.llava4j.model.config;

import io.llava4j.ConfigException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A kind of projector (docs/reference/model.md#projector) and the tensors it has.
 *
 * @param name {@code identity}, {@code linear}, {@code mlpNx_gelu}, {@code avg_pool_NxN_mlpNx_gelu},
 *     {@code pixel_shuffle_NxN_mlpNx_gelu} or {@code tokenpacker_NxN}
 * @param reduction how it makes fewer image tokens of the image features
 * @param edge of the square of patches that becomes one image token; 1 without a reduction
 * @param depth linear layers
 */
public record ProjectorType(String name, Reduction reduction, int edge, int depth) {
    /** Prefix of every tensor of a projector. */
    public static final String PREFIX = "model.mm_projector.";

    /** The row-end token of models that tile images, {@code [hidden]}. */
    public static final String ROW_END = "model.image_newline";

    /** The names that {@link #find} knows, for messages. */
    public static final String KNOWN = "linear, mlp2x_gelu (or another depth), avg_pool_2x2_mlp2x_gelu,"
            + " pixel_shuffle_2x2_mlp2x_gelu, tokenpacker_2x2 (or another square) or identity";

    /** A single linear layer. */
    public static final ProjectorType LINEAR = new ProjectorType("linear", Reduction.NONE, 1, 1);

    private static final ProjectorType IDENTITY = new ProjectorType("identity", Reduction.NONE, 1, 0);
    private static final Pattern MLP =
            Pattern.compile("(?:(avg_pool|pixel_shuffle)_([2-9])x\\2_)?mlp([1-9]\\d?)x_gelu");
    private static final Pattern TOKEN_PACKER = Pattern.compile("tokenpacker_([2-9])x\\1");

    /** What becomes of a square of neighbouring patches before the linear layers. */
    public enum Reduction {
        /** Each patch is an image token. */
        NONE,
        /** The mean of the features of its patches. */
        AVG_POOL,
        /** The features of its patches, row by row, as one vector (space to depth). */
        PIXEL_SHUFFLE,
        /** Its middle attends to the features of its patches in several hidden states. */
        TOKEN_PACKER
    }

    /** The name of an MLP of {@code depth} linear layers, with a GELU between them. */
    public static String mlpName(long depth) {
        return "mlp" + depth + "x_gelu";
    }

    /** A TokenPacker that makes one image token of {@code edge} x {@code edge} patches, from 2 to 9. */
    public static ProjectorType tokenPacker(int edge) {
        return new ProjectorType("tokenpacker_%dx%d".formatted(edge, edge), Reduction.TOKEN_PACKER, edge, 2);
    }

    /** The type of that name, or empty if it is unknown. */
    public static Optional<ProjectorType> find(String name) {
        Matcher mlp = MLP.matcher(name);
        if (mlp.matches()) {
            String joined = mlp.group(1);
            Reduction reduction = joined == null
                    ? Reduction.NONE
                    : joined.equals("avg_pool") ? Reduction.AVG_POOL : Reduction.PIXEL_SHUFFLE;
            int edge = reduction == Reduction.NONE ? 1 : Integer.parseInt(mlp.group(2));
            return Optional.of(new ProjectorType(name, reduction, edge, Integer.parseInt(mlp.group(3))));
        }
        Matcher packer = TOKEN_PACKER.matcher(name);
        if (packer.matches()) {
            return Optional.of(tokenPacker(Integer.parseInt(packer.group(1))));
        }
        return switch (name) {
            case "linear" -> Optional.of(LINEAR);
            case "identity" -> Optional.of(IDENTITY);
            default -> Optional.empty();
        };
    }

    /**
     * The type of that name.
     *
     * @throws ConfigException if it is unknown
     */
    public static ProjectorType parse(String name) {
        return find(name)
                .orElseThrow(() -> new ConfigException("projector type '" + name + "' is unknown; use " + KNOWN));
    }

    /** Whether a square of patches becomes one image token. */
    public boolean reduces() {
        return reduction != Reduction.NONE;
    }

    /** Patches that become one image token. */
    public int patchesPerToken() {
        return edge * edge;
    }

    /**
     * Why it cannot read the features of a tower; empty if it can.
     *
     * @param grid patches in a row of an image
     * @param keepCls whether CLS is among the features
     */
    public Optional<String> misfit(int grid, boolean keepCls) {
        if (!reduces()) {
            return Optional.empty();
        }
        if (keepCls) {
            return Optional.of(
                    "projector type %s joins squares of patches, so it cannot read the CLS feature; select patch"
                            .formatted(name));
        }
        return grid % edge == 0
                ? Optional.empty()
                : Optional.of(
                        ("projector type %s needs a grid of patches that %d divides, but the vision tower's is %d x"
                                        + " %d; choose another square")
                                .formatted(name, edge, grid, grid));
    }

    /** Width of what the first linear layer reads. */
    public long inputWidth(long visionHidden) {
        return reduction == Reduction.PIXEL_SHUFFLE ? visionHidden * patchesPerToken() : visionHidden;
    }

    /** The linear layers in order. An MLP's are at even indices of a sequence, in which its GELUs have the odd ones. */
    public List<Parameters.Linear> layers(long visionHidden, long textHidden) {
        String sequence = reduction == Reduction.TOKEN_PACKER ? TokenPackerParameters.MLP : PREFIX;
        return IntStream.range(0, depth)
                .mapToObj(i -> new Parameters.Linear(
                        equals(LINEAR) ? PREFIX : sequence + 2 * i + ".",
                        textHidden,
                        i == 0 ? inputWidth(visionHidden) : textHidden,
                        true))
                .toList();
    }

    /** All its tensors. */
    public List<Parameters> parameters(long visionHidden, long textHidden) {
        List<Parameters> parameters = new ArrayList<>();
        if (reduction == Reduction.TOKEN_PACKER) {
            parameters.add(TokenPackerParameters.of(visionHidden));
        }
        parameters.addAll(layers(visionHidden, textHidden));
        return List.copyOf(parameters);
    }

    /** Products of weights and inputs for a view of an image of so many features; of attention without its scores. */
    public double products(long visionHidden, long textHidden, long features) {
        double tokens = (double) features / patchesPerToken();
        double products = reduction == Reduction.TOKEN_PACKER
                ? TokenPackerParameters.of(visionHidden).products(features, tokens)
                : 0;
        for (Parameters.Linear layer : layers(visionHidden, textHidden)) {
            products += tokens * layer.in() * layer.out();
        }
        return products;
    }
}
