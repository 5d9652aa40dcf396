package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ImageProcessor;
import io.llava4j.model.Initializer;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.data.DataLoader;
import io.llava4j.train.data.EpochSampler;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.ModalityGroupedSampler;
import io.llava4j.train.data.RandomSampler;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;

/** Builds what a recipe trains: weights loaded or random, the network on them, and its data. */
public final class Objectives {
    private Objectives() {}

    /**
     * Builds a recipe's objective.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static Objective create(TrainConfig config) {
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", () -> instruction(config, assembled -> data(config, assembled)));
    }

    /**
     * Builds the objective of one of LLaVA's two stages on other samples than those of its {@code data.json}.
     *
     * @param config the recipe of stage align or tune
     * @param source of the samples; closed with the objective
     */
    public static Objective create(TrainConfig config, ExampleSource source) {
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", () -> instruction(config, assembled -> source));
    }

    private static Objective instruction(TrainConfig config, Function<Assembled, ExampleSource> samples) {
        Assembled assembled = assemble(config);
        LoraConfig lora = config.lora() == null ? null : config.lora().toConfig();
        if (lora != null) {
            addAdapters(assembled.weights(), lora, config);
        }
        TrainableParameters parameters =
                new TrainableParameters(assembled.weights(), name -> learns(name, config.trainable()));
        LlavaModel model = new LlavaModel(assembled.config(), assembled.weights(), lora);
        return new InstructionObjective(config, model, parameters, samples.apply(assembled), assembled.tokenizer());
    }

    private static boolean learns(String name, TrainConfig.Trainable trainable) {
        if (name.endsWith(LoraConfig.DOWN) || name.endsWith(LoraConfig.UP)) {
            return true;
        }
        if (name.startsWith(CanonicalNames.PROJECTOR)) {
            return trainable.projector();
        }
        return name.startsWith(CanonicalNames.TOWER) ? trainable.visionTower() : trainable.languageModel();
    }

    private static void addAdapters(Weights weights, LoraConfig lora, TrainConfig config) {
        Initializer initializer = new Initializer(config.seed());
        Device device = Engine.device(config.device());
        for (String name : List.copyOf(weights.names())) {
            if (LoraConfig.adapts(name)) {
                String layer = name.substring(0, name.length() - "weight".length());
                Tensor weight = weights.get(name);
                initializer.fill(weights, layer + LoraConfig.DOWN, lora.rank(), weight.size(1));
                initializer.fill(weights, layer + LoraConfig.UP, weight.size(0), lora.rank());
                for (String part : List.of(layer + LoraConfig.DOWN, layer + LoraConfig.UP)) {
                    weights.put(part, weights.get(part).to(device, Tensors.FLOAT));
                }
            }
        }
    }

    /**
     * The model as a run of stage 1 or 2 finds it before its first step.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static ModelLoader.Loaded start(TrainConfig config) {
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", () -> {
            Assembled assembled = assemble(config);
            return new ModelLoader.Loaded(
                    new LlavaModel(assembled.config(), assembled.weights()),
                    () -> SentencePieceTokenizer.load(assembled.tokenizer()));
        });
    }

    /** Weights of all parts with the configuration they make up. */
    private record Assembled(LlavaConfig config, Weights weights, Path tokenizer) {}

    private static Assembled assemble(TrainConfig config) {
        TrainConfig.ModelSpec spec = config.model();
        AspectMode aspect = config.data().imageAspectRatio().mode();
        boolean keepCls = spec.selectFeature() == TrainConfig.SelectFeature.CLS_PATCH;
        Path base = spec.base();
        Assembled assembled;
        if (base != null) {
            try (Checkpoint checkpoint = Checkpoint.open(base).requireComplete()) {
                LlavaConfig own = checkpoint.config();
                LlavaConfig llava = own.withAspectMode(aspect)
                        .withMaxSequenceLength(config.data().maxLength());
                assembled = new Assembled(
                        llava, ModelLoader.weights(checkpoint.tensors(), config.device()), checkpoint.tokenizerDir());
            }
        } else {
            Path tower = Objects.requireNonNull(spec.visionTower());
            Path language = Objects.requireNonNull(spec.languageModel());
            try (Checkpoint towerFile = Checkpoint.open(tower).requireComplete();
                    Checkpoint languageFile = Checkpoint.open(language).requireComplete()) {
                LlavaConfig llava = new LlavaConfig(
                        vision(tower, towerFile),
                        text(language, languageFile),
                        spec.projectorType(),
                        spec.selectLayer(),
                        keepCls,
                        aspect,
                        -1,
                        config.data().maxLength());
                Weights weights = ModelLoader.weights(languageFile.tensors(), config.device());
                ModelLoader.addTo(weights, towerFile.tensors(), config.device());
                assembled = new Assembled(llava, weights, languageFile.tokenizerDir());
            }
        }
        addProjector(config, assembled);
        return assembled;
    }

    private static void addProjector(TrainConfig config, Assembled assembled) {
        Path projector = config.model().projector();
        if (projector != null) {
            try (Checkpoint checkpoint = Checkpoint.open(projector)) {
                checkpoint.tensors().forEach((name, entry) -> {
                    if (name.startsWith(CanonicalNames.PROJECTOR)) {
                        ModelLoader.addTo(assembled.weights(), Map.of(name, entry), config.device());
                    }
                });
            }
        }
        Initializer initializer = new Initializer(config.seed());
        ExpectedTensors.of(new ModelKind.Llava(assembled.config())).shapes().forEach((name, shape) -> {
            if (name.startsWith(CanonicalNames.PROJECTOR) && assembled.weights().find(name) == null) {
                if (projector != null) {
                    throw new ConfigException("model.projector " + projector + " has no tensor " + name
                            + "; it belongs to another projector-type");
                }
                initializer.fill(assembled.weights(), name, shape);
            }
        });
    }

    private static TrainingData data(TrainConfig config, Assembled assembled) {
        TrainConfig.DataSpec spec = config.data();
        LlavaData records =
                LlavaFiles.read(Objects.requireNonNull(spec.json()), spec.badRecordPolicy(), spec.questionRows());
        SamplePrompts prompts = new SamplePrompts(
                new PromptBuilder(SentencePieceTokenizer.load(assembled.tokenizer()), spec.conversationTemplate()),
                spec.maxLength(),
                assembled.config().tokensPerImage());
        ImageProcessor processor = new ImageProcessor(
                assembled.config().vision().imageSize(), spec.imageAspectRatio().mode());
        Images images = records.images(spec.images(), spec.followSymlinks());
        EpochSampler sampler = spec.groupByModality()
                ? new ModalityGroupedSampler(
                        records.records().stream()
                                .mapToInt(ModalityGroupedSampler::signedLength)
                                .toArray(),
                        config.batch().perDevice(),
                        config.batch().accumulation())
                : new RandomSampler(records.records().size());
        return new TrainingData(
                records,
                sampler,
                config.seed(),
                config.samplesPerStep(),
                prompts::of,
                image -> processor.process(images.decode(image)),
                new DataLoader.Settings(
                        config.batch().perDevice(), spec.workers(), spec.missingImagePolicy(), spec.badRecordPolicy()));
    }

    public static VisionConfig vision(Path path, Checkpoint checkpoint) {
        return switch (checkpoint.kind()) {
            case ModelKind.Clip clip -> clip.vision();
            case ModelKind.Llava llava -> llava.config().vision();
            default ->
                throw new ConfigException(
                        path + " holds " + checkpoint.kind().label() + " where a vision tower is needed");
        };
    }

    public static TextConfig text(Path path, Checkpoint checkpoint) {
        return switch (checkpoint.kind()) {
            case ModelKind.Llama llama -> llama.text();
            case ModelKind.Llava llava -> llava.config().text();
            default ->
                throw new ConfigException(
                        path + " holds " + checkpoint.kind().label() + " where a language model is needed");
        };
    }
}
