package io.llava4j.app.ablate;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A ladder file as it was read, from which a step's measures are read again with its changes.
 *
 * @param file YAML
 * @param overrides of its keys, by dotted key
 * @param models the folder of a model that a recipe names
 * @param ladder what the file says
 */
public record LadderSource(Path file, Map<String, String> overrides, UnaryOperator<String> models, Ladder ladder) {
    /** What {@code --quick} asks and trains: every phase runs, and the numbers mean nothing. */
    private static final Map<String, String> QUICK_TRAINING = Map.of("schedule.max-steps", "4");

    private static final int QUICK_QUESTIONS = 24;

    /**
     * Reads a ladder.
     *
     * @throws io.llava4j.ConfigException naming file and key
     */
    public static LadderSource load(Path file, Map<String, String> overrides, UnaryOperator<String> models) {
        return new LadderSource(file, overrides, models, Ladder.load(file, overrides));
    }

    /** The same ladder with four optimiser steps, 24 questions of each benchmark and two seeds at most. */
    public LadderSource quick() {
        Map<String, String> values = new LinkedHashMap<>(overrides);
        values.put("evaluation.limit", String.valueOf(QUICK_QUESTIONS));
        values.put("seeds", ladder.seeds().stream().limit(2).toList().toString());
        return new LadderSource(file, values, models, Ladder.load(file, values).withTraining(QUICK_TRAINING));
    }

    /** What a step's model is asked. */
    Ladder.Measures measures(Map<String, String> changes) {
        Map<String, String> all = new LinkedHashMap<>(overrides);
        changes.forEach((key, value) -> all.put("evaluation." + key, value));
        return Ladder.load(file, all).evaluation();
    }
}
