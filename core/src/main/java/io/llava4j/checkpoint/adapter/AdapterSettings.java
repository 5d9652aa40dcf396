package io.llava4j.checkpoint.adapter;

import io.llava4j.checkpoint.huggingface.ConfigReader;
import io.llava4j.model.config.LoraConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.StringNode;

/**
 * An adapter's adapter_config.json (docs/reference/model.md#lora-adapter-layout). What changes the sum is computed:
 * ranks and alphas of single layers, rank-stabilised scaling, DoRA. What cannot be merged into the base's weights, or was
 * trained on other weights than the base's, is rejected by name.
 *
 * @param usual rank and alpha of layers without their own; alpha includes rank stabilisation
 */
record AdapterSettings(
        LoraConfig usual,
        boolean dora,
        boolean stabilised,
        double alpha,
        Map<Pattern, Integer> ranks,
        Map<Pattern, Double> alphas) {
    /** Initialisations that leave the base's weights as they are; PiSSA, OLoRA, CorDA and LoftQ train on others. */
    private static final Set<String> PLAIN_INITIALISATIONS = Set.of("gaussian", "orthogonal", "eva");

    /** What has no place in a merged weight, whatever its value. */
    private static final List<String> UNSUPPORTED = List.of(
            "layer_replication",
            "alora_invocation_tokens",
            "alora_invocation_string",
            "trainable_token_indices",
            "target_parameters",
            "megatron_config");

    private static final List<String> COMPUTED_FLAGS = List.of("use_dora", "use_rslora");

    static AdapterSettings read(ConfigReader config) {
        config.requireAbsentOr("peft_type", StringNode.valueOf("LORA"));
        config.requireAbsentOr("bias", StringNode.valueOf("none"));
        config.requireAbsentOr("lora_bias", BooleanNode.FALSE);
        config.requireAbsentOr("fan_in_fan_out", BooleanNode.FALSE);
        for (String key : config.node().propertyNames()) {
            if (key.startsWith("use_") && !COMPUTED_FLAGS.contains(key)) {
                config.requireAbsentOr(key, BooleanNode.FALSE);
            }
        }
        for (String key : UNSUPPORTED) {
            JsonNode value = config.node().path(key);
            if (value.isValueNode() ? config.has(key) : !value.isEmpty()) {
                throw config.bad(key, "none");
            }
        }
        JsonNode initialisation = config.node().path("init_lora_weights");
        if (initialisation.isString() && !PLAIN_INITIALISATIONS.contains(initialisation.stringValue())) {
            throw config.bad(
                    "init_lora_weights",
                    "an adapter of the base's own weights; convert it with PEFT's path_initial_model_for_weight_conversion");
        }
        boolean stabilised = flag(config, "use_rslora");
        double alpha = config.positive("lora_alpha", 8);
        Map<Pattern, Integer> ranks = new LinkedHashMap<>();
        patterns(config, "rank_pattern").forEach((pattern, value) -> ranks.put(pattern, value.intValue()));
        return new AdapterSettings(
                lora(config.size("r", 8), alpha, stabilised),
                flag(config, "use_dora"),
                stabilised,
                alpha,
                ranks,
                patterns(config, "alpha_pattern"));
    }

    private static boolean flag(ConfigReader config, String key) {
        if (config.has(key) && !config.node().get(key).isBoolean()) {
            throw config.bad(key, "true or false");
        }
        return config.node().path(key).asBoolean(false);
    }

    /** Names of layers, as regular expressions for the end of a layer's full name, with a number each. */
    private static Map<Pattern, Double> patterns(ConfigReader config, String key) {
        Map<Pattern, Double> patterns = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : config.node().path(key).properties()) {
            JsonNode value = entry.getValue();
            if (!value.isNumber() || !(value.doubleValue() > 0)) {
                throw config.bad(key, "numbers above 0 by layer");
            }
            try {
                patterns.put(Pattern.compile("(.*\\.)?(" + entry.getKey() + ")"), value.doubleValue());
            } catch (PatternSyntaxException e) {
                throw config.bad(key, "regular expressions for layers");
            }
        }
        return patterns;
    }

    /** Rank-stabilised adapters divide alpha by the root of the rank. */
    private static LoraConfig lora(int rank, double alpha, boolean stabilised) {
        return new LoraConfig(rank, stabilised ? alpha * Math.sqrt(rank) : alpha, 0);
    }

    /** Rank and alpha of one layer; the first pattern that fits its name counts. */
    LoraConfig of(String layer) {
        return lora(first(ranks, layer, usual.rank()), first(alphas, layer, alpha), stabilised);
    }

    private static <T> T first(Map<Pattern, T> patterns, String layer, T other) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(layer).matches())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(other);
    }
}
