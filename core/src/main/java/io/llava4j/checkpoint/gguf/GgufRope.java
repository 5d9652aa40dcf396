package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.GgufNames;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Scaling of the rotary embedding in GGUF. llama.cpp divides positions by a factor under one of two keys, and every
 * frequency by its number in {@code rope_freqs.weight}, where there is that tensor.
 */
final class GgufRope {
    private static final String TYPE = "llama.rope.scaling.type";
    private static final String FACTOR = "llama.rope.scaling.factor";
    private static final String OLD_FACTOR = "llama.rope.scale_linear";
    private static final String ATTENTION_FACTOR = "llama.rope.scaling.attn_factor";
    private static final String LINEAR = "linear";
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private GgufRope() {}

    /** What positions are divided by; 1 without scaling. */
    static double factor(Gguf file) {
        GgufMetadata keys = file.metadata();
        keys.requireAbsentOr(ATTENTION_FACTOR, 1.0);
        double factor = switch (keys.string(TYPE).orElse(LINEAR)) {
            case "none" -> 1;
            case LINEAR -> factor(keys, keys.has(FACTOR) ? FACTOR : OLD_FACTOR);
            default -> throw keys.bad(TYPE, "linear or none");
        };
        return factor * frequencyFactor(file);
    }

    /** 0 stands for none, as for llama.cpp. */
    private static double factor(GgufMetadata keys, String key) {
        return Double.valueOf(0).equals(keys.values().get(key)) ? 1 : keys.positive(key, 1);
    }

    private static double frequencyFactor(Gguf file) {
        Gguf.Entry entry = file.tensors().get(GgufNames.ROPE_FREQUENCIES);
        if (entry == null || entry.elements() == 0) {
            return 1;
        }
        if (entry.type() != BlockFormat.F32) {
            throw refused(file, "is %s instead of F32".formatted(entry.type()));
        }
        float first = entry.data().get(FLOAT, 0);
        for (long i = 0; i < entry.elements(); i++) {
            if (entry.data().get(FLOAT, i * Float.BYTES) != first || !(first > 0) || Float.isInfinite(first)) {
                throw refused(file, "scales frequencies unequally, which llava4j does not compute");
            }
        }
        return first;
    }

    private static CheckpointException refused(Gguf file, String why) {
        return new CheckpointException("%s: tensor '%s' %s; run this model with llama.cpp"
                .formatted(file.file(), GgufNames.ROPE_FREQUENCIES, why));
    }

    static void addTo(Map<String, Object> keys, TextConfig text) {
        if (text.ropeFactor() != 1) {
            keys.put(TYPE, LINEAR);
            keys.put(FACTOR, (float) text.ropeFactor());
        }
    }
}
