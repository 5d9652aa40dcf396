package io.llava4j.train.run.input;

import io.llava4j.train.config.ConfigFile;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The values of a resolved recipe that decide the course of training, without keys that only decide what is reported and
 * saved, or how memory is used.
 */
public final class RecipeSettings {
    private static final List<String> WITHOUT_EFFECT =
            List.of("logging.", "checkpoint.", "distributed.", "gradient-checkpointing", "output", "data.max-left-out");

    /** What says the same as a missing key: a run of an earlier version does not know every switch. */
    private static final Set<String> OFF = Set.of("false", "null", "[]", "");

    /** Values that other keys have where a run of an earlier version does not know them. */
    private static final Map<String, String> BEFORE = Map.of("engine.precision", "fp32", "lora.bits", "16");

    private static final String ACCUMULATION = "batch.accumulation";

    /** Any folder gives the same features. */
    private static final String FEATURE_CACHE = "data.feature-cache";

    private final Map<String, String> values = new LinkedHashMap<>();

    /** A recipe with every value, of one process. */
    public RecipeSettings(String yaml) {
        this(yaml, 1);
    }

    /**
     * A recipe of several processes. As many processes with less accumulation take the same steps, so only the product of
     * both counts.
     *
     * @param yaml a recipe with every value
     * @param processes that train together
     */
    public RecipeSettings(String yaml, int processes) {
        ConfigFile.values(yaml).forEach((key, value) -> {
            if (WITHOUT_EFFECT.stream().noneMatch(key::startsWith)
                    && !OFF.contains(value)
                    && !value.equals(BEFORE.get(key))) {
                values.put(key, decisive(key, value, processes));
            }
        });
    }

    private static String decisive(String key, String value, int processes) {
        return switch (key) {
            case ACCUMULATION -> String.valueOf(Long.parseLong(value) * processes);
            case FEATURE_CACHE -> "some folder";
            default -> value;
        };
    }

    /** Hash of the values; equal for recipes with the same course of training. */
    public String fingerprint() {
        Digest digest = new Digest();
        values.forEach((key, value) -> digest.add(key).add(value));
        return digest.hex();
    }

    /** The keys whose values differ, each with both values, for example {@code seed (42 then, 43 now)}. */
    public List<String> changesSince(RecipeSettings then) {
        Set<String> keys = new LinkedHashSet<>(values.keySet());
        keys.addAll(then.values.keySet());
        return keys.stream()
                .filter(key -> !then.value(key).equals(value(key)))
                .map(key -> "%s (%s then, %s now)".formatted(key, then.value(key), value(key)))
                .toList();
    }

    private String value(String key) {
        return values.getOrDefault(key, "not set");
    }
}
