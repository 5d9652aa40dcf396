package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * Refuses checkpoints of the Hugging Face families whose weights are quantised, by the name of what quantised them. Only
 * GGUF files are read in quantised form.
 */
final class QuantisedWeights {
    /** Files that say so beside config.json, and keys of their settings. */
    private static final Map<String, String> FILES = Map.of(
            "quantize_config.json", "GPTQ",
            "quant_config.json", "AWQ");

    /** Ends of tensor names that only one method writes. */
    private static final Map<String, String> ENDS = ends();

    private QuantisedWeights() {}

    private static Map<String, String> ends() {
        Map<String, String> ends = new LinkedHashMap<>();
        ends.put(".weight.absmax", "bitsandbytes");
        ends.put(".SCB", "bitsandbytes");
        ends.put(".g_idx", "GPTQ");
        ends.put(".qweight", "AWQ or GPTQ");
        ends.put(".weight_packed", "compressed-tensors");
        ends.put(".weight_scale", "compressed-tensors or FP8");
        ends.put(".weight_scale_inv", "FP8");
        ends.put("_proj.scales", "MLX");
        return ends;
    }

    /** @throws CheckpointException if the configuration in a folder says that its weights are quantised */
    static void refuseConfigured(Path directory) {
        Path config = directory.resolve(ModelConfigs.FILE);
        if (Files.exists(config)) {
            JsonNode root = StrictJson.object(config);
            for (JsonNode node : new JsonNode[] {root, root.path("text_config")}) {
                refuse(config, node.path("quantization_config"), "another tool");
                refuse(config, node.path("quantization"), "MLX");
                refuse(config, node.path("compression_config"), "compressed-tensors");
            }
        }
        FILES.forEach((file, method) -> {
            if (Files.exists(directory.resolve(file))) {
                throw refused(directory.resolve(file), method);
            }
        });
    }

    private static void refuse(Path file, JsonNode settings, String unnamed) {
        if (!settings.isObject() || settings.isEmpty()) {
            return;
        }
        boolean bitsAndBytes = settings.has("load_in_4bit") || settings.has("load_in_8bit");
        boolean unused = bitsAndBytes
                && !settings.path("load_in_4bit").asBoolean(false)
                && !settings.path("load_in_8bit").asBoolean(false);
        if (!unused) {
            JsonNode method = settings.path("quant_method");
            throw refused(file, method.isString() ? method.stringValue() : bitsAndBytes ? "bitsandbytes" : unnamed);
        }
    }

    /** @throws CheckpointException if a tensor is one that only quantised checkpoints have */
    static void refuseStored(Path path, Collection<String> names) {
        ENDS.forEach((end, method) -> {
            if (names.stream().anyMatch(name -> name.endsWith(end))) {
                throw refused(path, method);
            }
        });
    }

    private static CheckpointException refused(Path where, String method) {
        return new CheckpointException(
                "%s: the weights are quantised by %s, which llava4j does not read; take the model in fp16 or bf16, or its GGUF files"
                        .formatted(where, method));
    }
}
