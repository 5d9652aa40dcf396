package io.llava4j.app.ablate;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What happens to a model of a ladder, in this order. */
enum Phase {
    MIXTURE,
    PRETRAIN,
    FINETUNE,
    EVALUATION;

    /** Its name in ladder files. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean canBeLeftOut() {
        return this == MIXTURE || this == PRETRAIN;
    }

    /** The phase that a key of a step's changes belongs to; null if it belongs to none. */
    static @Nullable Phase ofKey(String key) {
        for (Phase phase : values()) {
            if (key.equals(phase.key()) || key.startsWith(phase.key() + ".")) {
                return phase;
            }
        }
        return null;
    }

    /** The changes of this phase, by key without the phase's name. */
    Map<String, String> of(Map<String, String> changes) {
        Map<String, String> own = new LinkedHashMap<>();
        changes.forEach((key, value) -> {
            if (key.startsWith(key() + ".")) {
                own.put(key.substring(key().length() + 1), value);
            }
        });
        return own;
    }
}
