package io.llava4j.nano.pretrain;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.ModelLoader;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Weights;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.Objectives;
import java.nio.file.Path;
import java.util.Objects;

/** Builds what the pre-training recipes of the nano family train: a vision tower or a language model. */
public final class PretrainObjectives {
    private PretrainObjectives() {}

    /**
     * Builds a recipe's objective, of any stage.
     *
     * @throws io.llava4j.ConfigException if the recipe's parts do not fit each other
     */
    public static Objective create(TrainConfig config) {
        Engine.setThreads(config.engineThreads());
        return switch (config.stage()) {
            case TOWER -> Engine.scope("building the model", () -> tower(config));
            case LANGUAGE -> Engine.scope("building the model", () -> language(config));
            case ALIGN, TUNE -> Objectives.create(config);
        };
    }

    private static Objective tower(TrainConfig config) {
        Path start = config.model().visionTower();
        if (start != null) {
            try (Checkpoint checkpoint = Checkpoint.open(start).requireComplete()) {
                return new ContrastiveObjective(
                        config,
                        Objectives.vision(start, checkpoint),
                        ModelLoader.weights(checkpoint.tensors(), config.device()));
            }
        }
        VisionConfig vision =
                Objects.requireNonNull(config.model().config().vision()).toConfig();
        return new ContrastiveObjective(config, vision, random(new ModelKind.Clip(vision), config.seed()));
    }

    private static Objective language(TrainConfig config) {
        Path start = config.model().languageModel();
        if (start != null) {
            try (Checkpoint checkpoint = Checkpoint.open(start).requireComplete()) {
                return new LanguageObjective(
                        config,
                        Objectives.text(start, checkpoint),
                        ModelLoader.weights(checkpoint.tensors(), config.device()),
                        checkpoint.tokenizerDir());
            }
        }
        TextConfig text = Objects.requireNonNull(config.model().config().text()).toConfig();
        Path tokenizer = Objects.requireNonNull(config.model().tokenizer());
        return new LanguageObjective(config, text, random(new ModelKind.Llama(text), config.seed()), tokenizer);
    }

    private static Weights random(ModelKind kind, long seed) {
        Weights weights = new Weights();
        Initializer initializer = new Initializer(seed);
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> initializer.fill(weights, name, shape));
        return weights;
    }
}
