package io.llava4j.model.config;

import io.llava4j.ConfigException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A kind of projector (docs/reference/model.md#projector) and the tensors it has.
 *
 * @param name {@code identity}, {@code linear} or {@code mlpNx_gelu}, as {@code mm_projector_type} has it
 * @param depth linear layers
 */
public record ProjectorType(String name, int depth) {
    /** Prefix of every tensor of a projector. */
    public static final String PREFIX = "model.mm_projector.";

    /** The row-end token, which tiled images have after each row of their features. */
    public static final String ROW_END = "model.image_newline";

    /** The names that {@link #find} knows, for messages. */
    public static final String KNOWN = "linear, mlp2x_gelu (or another depth) or identity";

    /** A single linear layer. */
    public static final ProjectorType LINEAR = new ProjectorType("linear", 1);

    private static final ProjectorType IDENTITY = new ProjectorType("identity", 0);
    private static final Pattern MLP = Pattern.compile("mlp([1-9]\\d?)x_gelu");

    /** The name of an MLP of {@code depth} linear layers, with a GELU between them. */
    public static String mlpName(long depth) {
        return "mlp" + depth + "x_gelu";
    }

    /** The type of that name, or empty if it is unknown. */
    public static Optional<ProjectorType> find(String name) {
        Matcher mlp = MLP.matcher(name);
        if (mlp.matches()) {
            return Optional.of(new ProjectorType(name, Integer.parseInt(mlp.group(1))));
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

    /** The linear layers in order. An MLP's are at even indices of a sequence, in which its GELUs have the odd ones. */
    public List<Parameters.Linear> layers(long visionHidden, long textHidden) {
        return IntStream.range(0, depth)
                .mapToObj(i -> new Parameters.Linear(
                        equals(LINEAR) ? PREFIX : PREFIX + 2 * i + ".",
                        textHidden,
                        i == 0 ? visionHidden : textHidden,
                        true))
                .toList();
    }
}
