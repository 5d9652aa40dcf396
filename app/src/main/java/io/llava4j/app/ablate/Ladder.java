package io.llava4j.app.ablate;

import io.llava4j.ConfigException;
import io.llava4j.tensor.DeviceName;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.FlagNames;
import io.llava4j.train.config.Require;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A ladder file: how a model is made and measured, and steps that each change a few keys of that
 * (docs/ablations.md). Relative paths are relative to the working directory.
 *
 * @param title of the report
 * @param claim a sentence that the ladder tests
 * @param mixture builds the data of the second stage; without it {@code finetune} names its own
 * @param pretrain trains the projector; without it {@code finetune} starts from what its recipe names
 * @param finetune trains the model that is measured
 * @param evaluation what every model is asked
 * @param seeds every step is trained once for each
 * @param cumulative whether a step adds its changes to those of the step before, with which it is compared, or to the
 *     first step
 * @param steps at least one; the first may change nothing
 */
public record Ladder(
        String title,
        @Default("''") String claim,
        @Nullable Recipe mixture,
        @Nullable Recipe pretrain,
        Recipe finetune,
        Measures evaluation,
        List<Long> seeds,
        @Default("false") boolean cumulative,
        List<Step> steps) {
    /** The value of a phase's name in a step's changes that leaves the phase out. */
    static final String NONE = "none";

    /**
     * A recipe with changes.
     *
     * @param recipe YAML file
     * @param set values by key
     */
    public record Recipe(Path recipe, Map<String, String> set) {
        private Recipe with(Map<String, String> more) {
            Map<String, String> all = new LinkedHashMap<>(set);
            all.putAll(more);
            return new Recipe(recipe, all);
        }
    }

    /**
     * What a model is asked.
     *
     * @param data folder with a folder for each benchmark
     * @param tasks names of benchmarks
     * @param limit the first questions of each that are asked; 0 for all
     * @param batchSize questions per batch; changes the speed, not the answers
     * @param blind whether every image is replaced by a blank one
     * @param responseFormat whether questions end with their benchmark's response-format prompt
     * @param localJudge whether answers that need a judge are graded by the local rule; else they are not scored
     * @param device that answers: {@code cpu} or {@code cuda:N}
     */
    public record Measures(
            Path data,
            List<String> tasks,
            @Default("0") int limit,
            @Default("32") int batchSize,
            @Default("false") boolean blind,
            @Default("true") boolean responseFormat,
            @Default("false") boolean localJudge,
            @Default("cpu") String device) {
        /** @throws ConfigException naming the key that cannot be so */
        public Measures {
            Require.that(!tasks.isEmpty(), "tasks is empty; name at least one benchmark");
            Require.that(limit >= 0, "limit must be 0 (all questions) or more");
            Require.that(batchSize >= 1, "batch-size must be 1 or more");
            DeviceName.parse(device);
        }
    }

    /**
     * A step.
     *
     * @param name in tables and messages
     * @param paper what the paper measured there, in words; empty if it did not
     * @param set values by a phase's name, a dot and a key: {@code finetune.optimizer.learning-rate: 1e-4}; {@code
     *     mixture: none} and {@code pretrain: none} leave a phase out
     */
    public record Step(String name, @Default("''") String paper, Map<String, String> set) {}

    /** @throws ConfigException naming the key that is missing or cannot be so */
    public Ladder {
        Require.that(!seeds.isEmpty(), "seeds is empty; name at least one, better three");
        Require.that(new HashSet<>(seeds).size() == seeds.size(), "seeds names a seed twice");
        Require.that(!steps.isEmpty(), "steps is empty; name at least one");
        Set<String> names = new HashSet<>();
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            Require.that(names.add(step.name()), "steps[%d].name '%s' stands twice".formatted(i, step.name()));
            for (Map.Entry<String, String> change : step.set().entrySet()) {
                check("steps[%d].set".formatted(i), change.getKey(), change.getValue());
            }
        }
    }

    private static void check(String at, String key, String value) {
        Phase phase = Phase.ofKey(key);
        if (phase == null) {
            throw new ConfigException(
                    "%s: '%s' must begin with mixture., pretrain., finetune. or evaluation.".formatted(at, key));
        }
        Require.that(
                !key.equals(phase.key()) || (phase.canBeLeftOut() && value.equals(NONE)),
                "%s: '%s' must be followed by a dot and a key%s"
                        .formatted(at, key, phase.canBeLeftOut() ? ", or be none" : ""));
    }

    /**
     * Reads a ladder.
     *
     * @param overrides values by dotted key
     * @throws ConfigException naming file and key
     */
    public static Ladder load(Path file, Map<String, String> overrides) {
        ConfigFile ladder = ConfigFile.read(file, FlagNames.NONE, note -> {});
        overrides.forEach(ladder::override);
        return ladder.bind(Ladder.class, Map.of());
    }

    /** The same ladder with values for both training recipes. */
    Ladder withTraining(Map<String, String> values) {
        return new Ladder(
                title,
                claim,
                mixture,
                pretrain == null ? null : pretrain.with(values),
                finetune.with(values),
                evaluation,
                seeds,
                cumulative,
                steps);
    }

    /** All changes of a step: its own over those of the step before, or over the first step's. */
    Map<String, String> changes(int step) {
        Map<String, String> changes = new LinkedHashMap<>();
        for (int i = 0; i <= step; i++) {
            if (i == step || i == 0 || cumulative) {
                changes.putAll(steps.get(i).set());
            }
        }
        return changes;
    }

    /** The step with which another is compared; the first is compared with none. */
    int before(int step) {
        return cumulative ? step - 1 : 0;
    }
}
