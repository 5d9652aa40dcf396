package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import java.util.OptionalDouble;

/**
 * Scaling of the rotary embedding in a configuration: {@code rope_scaling}, or {@code rope_parameters} since
 * transformers 5 (docs/reference/model.md#rotary-position-embedding). Linear scaling is computed; every other type is
 * refused by name.
 */
final class RopeScaling {
    private static final String[] KEYS = {"rope_parameters", "rope_scaling"};

    private RopeScaling() {}

    /** What positions are divided by; 1 without scaling. */
    static double factor(ConfigReader config) {
        requireWhole(config);
        double factor = 1;
        for (String key : KEYS) {
            double own =
                    config.child(key).map(rope -> factor(config, key, rope)).orElse(1.0);
            if (factor != 1 && own != 1 && own != factor) {
                throw config.bad(key, "the factor of " + KEYS[0]);
            }
            factor = own == 1 ? factor : own;
        }
        return factor;
    }

    /**
     * {@code rope_theta}, where it stands among the parameters.
     *
     * @throws ConfigException if it differs from the one outside
     */
    static OptionalDouble theta(ConfigReader config) {
        for (String key : KEYS) {
            var rope = config.child(key);
            if (rope.isPresent() && rope.get().has("rope_theta")) {
                double theta = rope.get().positive("rope_theta", 1);
                if (config.positive("rope_theta", theta) != theta) {
                    throw config.bad("rope_theta", "that of %s, %s, or none".formatted(key, theta));
                }
                return OptionalDouble.of(theta);
            }
        }
        return OptionalDouble.empty();
    }

    /** Every dimension of a head is rotated. */
    private static void requireWhole(ConfigReader config) {
        if (config.positive("partial_rotary_factor", 1) != 1) {
            throw config.bad("partial_rotary_factor", "1");
        }
    }

    private static double factor(ConfigReader config, String key, ConfigReader rope) {
        requireWhole(rope);
        if (rope.node().properties().stream().anyMatch(entry -> entry.getValue().isObject())) {
            throw config.bad(key, "one scaling for all layers");
        }
        String type = rope.string("rope_type").or(() -> rope.string("type")).orElse("default");
        return switch (type) {
            case "default" -> {
                if (rope.has("factor") && rope.positive("factor", 1) != 1) {
                    throw config.bad(key, "none, or the type \"linear\"");
                }
                yield 1;
            }
            case "linear" -> {
                if (!rope.has("factor")) {
                    throw rope.bad("factor", "a number above 0 for linear scaling");
                }
                yield rope.positive("factor", 1);
            }
            default -> throw config.bad(key, "none, or the type \"linear\"");
        };
    }
}
