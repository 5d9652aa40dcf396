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
 * @param usual of layers without a rank or alpha of their own
 * @param ranks by pattern of a layer's name
 * @param alphas by pattern of a layer's name
 */
record AdapterSettings(LoraConfig usual, Map<Pattern, Integer> ranks, Map<Pattern, Double> alphas) {
    /** Initialisations that leave the base's weights as they are; PiSSA, OLoRA, CorDA and LoftQ train on others. */
    private static final Set<String> PLAIN_INITIALISATIONS = Set.of("gaussian", "orthogonal", "eva");

    /** Settings that are computed or checked here, and those that the tensors show or that only training needs. */
    private static final Set<String> KNOWN = Set.of(
            "alpha_pattern",
            "auto_mapping",
            "base_model_name_or_path",
            "bias",
            "corda_config",
            "eva_config",
            "exclude_modules",
            "inference_mode",
            "init_lora_weights",
            "layers_pattern",
            "layers_to_transform",
            "loftq_config",
            "lora_alpha",
            "lora_dropout",
            "megatron_core",
            "modules_to_save",
            "peft_type",
            "peft_version",
            "qalora_group_size",
            "r",
            "rank_pattern",
            "revision",
            "runtime_config",
            "target_modules",
            "task_type",
            "use_dora",
            "use_rslora");

    static AdapterSettings read(ConfigReader config) {
        config.requireAbsentOr("peft_type", StringNode.valueOf("LORA"));
        config.requireAbsentOr("bias", StringNode.valueOf("none"));
        config.requireAbsentOr("lora_bias", BooleanNode.FALSE);
        config.requireAbsentOr("fan_in_fan_out", BooleanNode.FALSE);
        for (String key : config.node().propertyNames()) {
            if (!KNOWN.contains(key) && isSet(config.node().get(key))) {
                throw config.bad(key, config.node().get(key).isBoolean() ? "false" : "none");
            }
        }
        JsonNode initialisation = config.node().path("init_lora_weights");
        if (initialisation.isString() && !PLAIN_INITIALISATIONS.contains(initialisation.stringValue())) {
            throw config.bad(
                    "init_lora_weights",
                    "an adapter of the base's own weights; convert it with PEFT's path_initial_model_for_weight_conversion");
        }
        Map<Pattern, Integer> ranks = new LinkedHashMap<>();
        patterns(config, "rank_pattern").forEach((pattern, value) -> ranks.put(pattern, value.intValue()));
        return new AdapterSettings(
                lora(
                        config.size("r", 8),
                        config.positive("lora_alpha", 8),
                        flag(config, "use_rslora"),
                        flag(config, "use_dora")),
                ranks,
                patterns(config, "alpha_pattern"));
    }

    /** Whether a value switches something on: neither null nor false nor empty. */
    private static boolean isSet(JsonNode value) {
        return value.isValueNode() ? !value.isNull() && !value.equals(BooleanNode.FALSE) : !value.isEmpty();
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

    private static LoraConfig lora(int rank, double alpha, boolean stabilised, boolean dora) {
        return new LoraConfig(rank, alpha, 0, stabilised, dora, List.of(LoraConfig.ALL_LINEAR), List.of());
    }

    /** Rank and alpha of one layer; the first pattern that fits its name counts. */
    LoraConfig of(String layer) {
        return lora(
                first(ranks, layer, usual.rank()),
                first(alphas, layer, usual.alpha()),
                usual.rankStabilised(),
                usual.dora());
    }

    private static <T> T first(Map<Pattern, T> patterns, String layer, T other) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(layer).matches())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(other);
    }
}
