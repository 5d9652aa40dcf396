package io.llava4j.nano.pretrain;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.EngineWeights;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.nano.text.Phrase;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Weights;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.run.ModelAssembly;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.RunConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/** Builds the training objectives of the nano family's pre-training. */
public final class PretrainObjectives {
    private PretrainObjectives() {}

    /**
     * Contrastive pre-training of a vision tower.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static Objective tower(TowerConfig config) {
        return build(config, () -> {
            Path start = config.model().visionTower();
            VisionShape shape = config.model().config().vision();
            if (start != null) {
                try (Checkpoint checkpoint = Checkpoint.open(start).requireComplete()) {
                    Weights weights = EngineWeights.weights(checkpoint.tensors(), config.device());
                    VisionConfig trained = ModelAssembly.visionOf(start, checkpoint);
                    if (shape == null) {
                        return new ContrastiveObjective(config, trained, weights);
                    }
                    new Growth(weights, initializer(config)).tower(trained, shape.toConfig());
                    return new ContrastiveObjective(config, shape.toConfig(), weights);
                }
            }
            VisionConfig vision = Objects.requireNonNull(shape).toConfig();
            return new ContrastiveObjective(config, vision, random(new ModelKind.Clip(vision), config));
        });
    }

    /**
     * Pre-training of a language model on text.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static Objective language(LanguageConfig config) {
        return build(config, () -> {
            Path start = config.model().languageModel();
            TextShape shape = config.model().config().text();
            if (start != null) {
                try (Checkpoint checkpoint = Checkpoint.open(start).requireComplete()) {
                    Weights weights = EngineWeights.weights(checkpoint.tensors(), config.device());
                    TextConfig trained = ModelAssembly.textOf(start, checkpoint);
                    if (shape == null) {
                        return new LanguageObjective(config, trained, weights, checkpoint.tokenizerDir());
                    }
                    Path own = checkpoint.tokenizerDir();
                    Path tokenizer = Objects.requireNonNullElse(config.model().tokenizer(), own);
                    List<int[]> spellings = Growth.spellings(
                            SentencePieceTokenizer.load(own),
                            SentencePieceTokenizer.load(tokenizer),
                            Phrase.englishByChinese());
                    new Growth(weights, initializer(config)).language(trained, shape.toConfig(), spellings);
                    return new LanguageObjective(config, shape.toConfig(), weights, tokenizer);
                }
            }
            TextConfig text = Objects.requireNonNull(shape).toConfig();
            Path tokenizer = Objects.requireNonNull(config.model().tokenizer());
            return new LanguageObjective(config, text, random(new ModelKind.Llama(text), config), tokenizer);
        });
    }

    private static Objective build(RunConfig config, Supplier<Objective> objective) {
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", objective);
    }

    private static Weights random(ModelKind kind, RunConfig config) {
        Weights weights = new Weights();
        Initializer initializer = initializer(config);
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> initializer.fill(weights, name, shape));
        return weights;
    }

    private static Initializer initializer(RunConfig config) {
        return new Initializer(config.seed(), config.device());
    }
}
