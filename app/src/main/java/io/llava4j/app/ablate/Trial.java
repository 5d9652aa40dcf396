package io.llava4j.app.ablate;

import io.llava4j.ConfigException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.DeviceName;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.TrainingRun;
import io.llava4j.train.run.input.Digest;
import io.llava4j.train.run.input.RecipeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A step of a ladder at one seed, with every recipe resolved. What is made lies in a folder named after a hash of all that
 * decides it, so that trials, and ladders in the same folder, share what is equal.
 *
 * @param mixture data of the second stage and its folder; null if the recipe names its own
 * @param pretrain first stage; null if there is none
 * @param finetune second stage
 * @param evaluation what its model is asked, and where the answers go
 * @param device that answers
 * @param localJudge whether the local rule grades
 */
record Trial(
        @Nullable Mixture mixture,
        @Nullable TrainConfig pretrain,
        TrainConfig finetune,
        EvaluationPlan evaluation,
        String device,
        boolean localJudge) {
    /** Data of the second stage. */
    record Mixture(MixtureRecipe recipe, Path folder) {
        Path file() {
            return folder.resolve(recipe.name() + ".json");
        }
    }

    private static final int HASH_DIGITS = 12;

    /** A value in YAML: no file of weights. */
    private static final String RANDOM = "null";

    /** What is trained, in order. */
    List<TrainConfig> trainings() {
        return pretrain == null ? List.of(finetune) : List.of(pretrain, finetune);
    }

    /** The folder of the trained model. */
    Path model() {
        return finetune.output().resolve(TrainingRun.MODEL);
    }

    /**
     * Resolves a step.
     *
     * @param source the ladder
     * @param root folder for what ladders make
     * @param processes that train it
     * @throws ConfigException naming step, phase and key
     */
    static Trial of(LadderSource source, int step, long seed, Path root, int processes) {
        return new Resolution(source, step, seed, root, processes).trial();
    }

    /** Resolves the phases of one trial in their order; each needs where the one before puts its result. */
    private record Resolution(LadderSource source, int step, long seed, Path root, int processes) {
        Trial trial() {
            Ladder ladder = source.ladder();
            Map<String, String> changes = ladder.changes(step);
            Mixture mixture = ladder.mixture() == null || leftOut(Phase.MIXTURE, changes)
                    ? null
                    : mixture(ladder.mixture(), changes);
            TrainConfig pretrain = ladder.pretrain() == null || leftOut(Phase.PRETRAIN, changes)
                    ? null
                    : train(Phase.PRETRAIN, ladder.pretrain(), Map.of(), changes);
            Map<String, String> derived = new LinkedHashMap<>();
            if (mixture != null) {
                derived.put("data.json", ConfigFile.quoted(mixture.file()));
                if (mixture.recipe().images() != null) {
                    derived.put(
                            "data.images", ConfigFile.quoted(mixture.recipe().images()));
                }
            }
            if (ladder.pretrain() != null) {
                derived.put("model.projector", pretrain == null ? RANDOM : ConfigFile.quoted(projector(pretrain)));
            }
            TrainConfig finetune = train(Phase.FINETUNE, ladder.finetune(), derived, changes);
            Ladder.Measures measures = explained(Phase.EVALUATION, () -> measures(changes));
            return new Trial(
                    mixture,
                    pretrain,
                    finetune,
                    evaluation(finetune, measures),
                    measures.device(),
                    measures.localJudge());
        }

        private Ladder.Measures measures(Map<String, String> changes) {
            Ladder.Measures measures = source.measures(Phase.EVALUATION.of(changes));
            if (!Files.isDirectory(measures.data())) {
                throw new ConfigException(
                        "there is no folder %s; the first lines of the ladder, or of the one that it extends, say how to make it"
                                .formatted(measures.data()));
            }
            return measures;
        }

        private static Path projector(TrainConfig pretrain) {
            return pretrain.output().resolve(TrainingRun.MODEL).resolve(ModelFiles.PROJECTOR);
        }

        private static boolean leftOut(Phase phase, Map<String, String> changes) {
            return changes.containsKey(phase.key());
        }

        private Mixture mixture(Ladder.Recipe base, Map<String, String> changes) {
            Map<String, String> values = new LinkedHashMap<>(base.set());
            values.putAll(Phase.MIXTURE.of(changes));
            MixtureRecipe recipe = explained(Phase.MIXTURE, () -> MixtureRecipe.load(base.recipe(), values));
            return new Mixture(recipe, root.resolve("mixtures").resolve(shortened(new Digest().add(recipe.toYaml()))));
        }

        private TrainConfig train(
                Phase phase, Ladder.Recipe base, Map<String, String> derived, Map<String, String> changes) {
            Map<String, String> values = new LinkedHashMap<>(derived);
            values.putAll(base.set());
            values.put("seed", String.valueOf(seed));
            values.putAll(phase.of(changes));
            return explained(phase, () -> {
                RecipeLoader loader = new RecipeLoader(source.models());
                TrainConfig config = loader.load(base.recipe(), values, System.getenv());
                String hash = new RecipeSettings(ConfigFile.toYaml(config)).fingerprint();
                String name = hash.substring(0, HASH_DIGITS) + (processes == 1 ? "" : "-" + processes + "-processes");
                Path output = root.resolve("trained").resolve(name);
                values.put("output", ConfigFile.quoted(output));
                return loader.load(base.recipe(), values, System.getenv());
            });
        }

        private EvaluationPlan evaluation(TrainConfig finetune, Ladder.Measures measures) {
            List<Benchmark> tasks = explained(
                    Phase.EVALUATION,
                    () -> measures.tasks().stream()
                            .map(Benchmarks::named)
                            .distinct()
                            .toList());
            EvaluationPlan unplaced = new EvaluationPlan(
                    measures.responseFormat()
                            ? tasks
                            : tasks.stream()
                                    .map(Benchmark::withoutResponseFormat)
                                    .toList(),
                    measures.data(),
                    root,
                    measures.limit(),
                    measures.batchSize(),
                    measures.blind());
            Digest digest = new Digest().add(finetune.output().toString());
            ConfigFile.values(ConfigFile.toYaml(measures)).forEach((key, value) -> {
                // The CPU's answers are the reference; other devices round otherwise.
                if (!key.equals("batch-size")
                        && !(key.equals("device") && DeviceName.parse(value).isCpu())) {
                    digest.add(key).add(value);
                }
            });
            tasks.forEach(task -> addFiles(digest, unplaced.folder(task)));
            return new EvaluationPlan(
                    unplaced.tasks(),
                    unplaced.data(),
                    root.resolve("evaluations").resolve(shortened(digest)),
                    unplaced.limit(),
                    unplaced.batchSize(),
                    unplaced.blind());
        }

        /** Sizes and times of a benchmark's files: another edition is asked anew. */
        private static void addFiles(Digest digest, Path folder) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    digest.add(file.toString())
                            .add(Files.size(file))
                            .add(Files.getLastModifiedTime(file).toMillis());
                }
            } catch (IOException e) {
                throw FileErrors.cannotRead(folder, e);
            }
        }

        private static String shortened(Digest digest) {
            return digest.hex().substring(0, HASH_DIGITS);
        }

        private <T> T explained(Phase phase, Supplier<T> resolved) {
            try {
                return resolved.get();
            } catch (ConfigException e) {
                throw new ConfigException(
                        "step '%s', %s: %s"
                                .formatted(source.ladder().steps().get(step).name(), phase.key(), e.getMessage()),
                        e);
            }
        }
    }
}
