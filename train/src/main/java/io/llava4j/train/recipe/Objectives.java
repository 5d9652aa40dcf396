package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.adapter.PeftAdapterWriter;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.ModelLoader;
import io.llava4j.model.Initializer;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.config.Require;
import io.llava4j.train.run.ExampleSource;
import io.llava4j.train.run.HeldOut;
import io.llava4j.train.run.HeldOutRecords;
import io.llava4j.train.run.InstructionObjective;
import io.llava4j.train.run.LoraAdapters;
import io.llava4j.train.run.ModelAssembly;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.Operations;
import io.llava4j.train.run.TaskScores;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.TrainingData;
import io.llava4j.train.run.feature.CachedTower;
import io.llava4j.train.run.input.ModelInputs;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Builds the training objective of a recipe: the model, its trainable parameters and the data. */
public final class Objectives {
    private Objectives() {}

    /**
     * Builds a recipe's objective on the recipe's data.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static Objective create(TrainConfig config) {
        return create(config, (TaskScores) null);
    }

    /** {@link #create(TrainConfig, TaskScores, ProcessGroup)} in one process. */
    public static Objective create(TrainConfig config, @Nullable TaskScores tasks) {
        return create(config, tasks, ProcessGroup.alone());
    }

    /**
     * Builds a recipe's objective on the recipe's data.
     *
     * @param tasks scores of the benchmarks of {@code evaluation.tasks}; null if the recipe names none
     * @param group processes that train together, of which this is one
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static Objective create(TrainConfig config, @Nullable TaskScores tasks, ProcessGroup group) {
        if (tasks == null
                && config.evaluation() != null
                && !config.evaluation().tasks().isEmpty()) {
            throw new ConfigException(
                    "evaluation.tasks is set, but only llava train can score benchmarks; remove the key");
        }
        return create(
                config,
                (assembly, tower) -> TrainingData.of(
                        config.data(),
                        config.batch(),
                        config.seed(),
                        assembly.config(),
                        assembly.tokenizer(),
                        group.rank(),
                        tower == null ? null : tower.cache()),
                tasks,
                group);
    }

    /**
     * Builds a recipe's objective on other samples than those of its {@code data.json}.
     *
     * @param group processes that train together, of which this is one
     * @param source of the samples of this process; closed with the objective
     */
    public static Objective create(TrainConfig config, ProcessGroup group, ExampleSource source) {
        return create(config, (assembly, tower) -> source, null, group);
    }

    /** {@link #create(TrainConfig, ProcessGroup, ExampleSource)} in one process. */
    public static Objective create(TrainConfig config, ExampleSource source) {
        return create(config, ProcessGroup.alone(), source);
    }

    /**
     * The model as a run finds it before its first step, without adapters.
     *
     * @throws ConfigException if the recipe's parts do not fit each other
     */
    public static ModelLoader.Loaded start(TrainConfig config) {
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", () -> {
            try (ModelAssembly assembly = assemble(config, name -> false, config.device(), false)) {
                return new ModelLoader.Loaded(
                        new LlavaModel(assembly.config(), assembly.weights()),
                        () -> SentencePieceTokenizer.load(assembly.tokenizer()),
                        List.of());
            }
        });
    }

    private static Objective create(
            TrainConfig config,
            BiFunction<ModelAssembly, @Nullable CachedTower, ExampleSource> samples,
            @Nullable TaskScores tasks,
            ProcessGroup group) {
        Require.that(
                group.size() == 1 || config.batch().parallel() == 1,
                "batch.parallel is %d but %d processes train together, which share the threads already; set it to 1"
                        .formatted(config.batch().parallel(), group.size()));
        Engine.setThreads(config.engineThreads());
        return Engine.scope("building the model", () -> {
            LoraConfig lora = config.lora() == null ? null : config.lora().toConfig();
            Predicate<String> trainable = name -> config.trainable().includes(name, lora);
            TrainableParameters.Sharing sharing =
                    new TrainableParameters.Sharing(group, config.distributed().sharding(), config.device());
            // Weights that are shared out are read one after the other, and reach the device as shares.
            String device = sharing.isShared() ? "cpu" : config.device();
            try (ModelAssembly assembly = assemble(config, trainable, device, sharing.isShared())) {
                if (lora != null) {
                    LoraAdapters.addTo(assembly.weights(), lora, initializer(config, device));
                }
                Supplier<RunInputs> inputs =
                        fingerprints(assembly, trainable, config.engine().precision(), sharing.isFull());
                CachedTower tower = cachedTower(config, assembly);
                TrainableParameters parameters = new TrainableParameters(
                        assembly.weights(), trainable, config.engine().precision(), sharing);
                LlavaModel model = new LlavaModel(assembly.config(), assembly.weights(), lora);
                return new InstructionObjective(
                        new InstructionObjective.Settings(
                                group,
                                config.samplesPerStep() * group.size(),
                                config.seed(),
                                config.gradientCheckpointing(),
                                config.batch().parallel() > 1,
                                config.data().packing(),
                                Operations.of(
                                        assembly.config(), config.trainable().languageModel(), false),
                                assembly.notes(),
                                inputs),
                        model,
                        parameters,
                        tower,
                        samples.apply(assembly, tower),
                        heldOut(config, assembly, model, parameters, tasks),
                        output(config, assembly, lora));
            }
        });
    }

    private static @Nullable CachedTower cachedTower(TrainConfig config, ModelAssembly assembly) {
        Path folder = config.data().featureCache();
        return folder == null
                ? null
                : CachedTower.open(
                        folder,
                        assembly.config(),
                        assembly.weights(),
                        config.data(),
                        config.engine().precision());
    }

    private static @Nullable HeldOut heldOut(
            TrainConfig config,
            ModelAssembly assembly,
            LlavaModel model,
            TrainableParameters parameters,
            @Nullable TaskScores tasks) {
        HeldOut.Config evaluation = config.evaluation();
        if (evaluation == null) {
            return null;
        }
        return new HeldOutRecords(
                evaluation,
                model,
                TrainingData.heldOut(
                        config.data().heldOut(evaluation.data(), evaluation.images()),
                        config.batch().perDevice(),
                        assembly.config(),
                        assembly.tokenizer()),
                parameters,
                tasks,
                SentencePieceTokenizer.load(assembly.tokenizer()),
                config.data().conversationTemplate());
    }

    /** What is trained is loaded in 32-bit floats, as it moves by less than 16 bits can tell apart. */
    private static ModelAssembly assemble(
            TrainConfig config, Predicate<String> trainable, String device, boolean stays) {
        ComputePrecision precision = config.engine().precision();
        precision.use(config.device());
        return ModelAssembly.of(
                config.model(),
                config.data().imageAspectRatio().mode(),
                config.data().maxLength(),
                new ModelAssembly.Placement(
                        stays,
                        device,
                        name -> trainable.test(name) ? ComputePrecision.FP32 : precision,
                        name -> config.lora() == null || trainable.test(name)
                                ? null
                                : config.lora().blocks(name)),
                initializer(config, device));
    }

    private static Initializer initializer(TrainConfig config, String device) {
        return new Initializer(config.seed(), device);
    }

    /** Fingerprints of the model as the network reads it; taken at once where no process has all of it afterwards. */
    private static Supplier<RunInputs> fingerprints(
            ModelAssembly assembly, Predicate<String> trainable, ComputePrecision precision, boolean atOnce) {
        if (!atOnce) {
            return () -> ModelInputs.of(assembly.weights(), assembly.tokenizer());
        }
        RunInputs inputs = ModelInputs.of(assembly.weights(), trainable, precision, assembly.tokenizer());
        return () -> inputs;
    }

    /** What a finished run writes: stage 1 the projector, stage 2 the adapters or the whole model. */
    private static Consumer<Path> output(TrainConfig config, ModelAssembly trained, @Nullable LoraConfig lora) {
        DType type = config.engine().precision() == ComputePrecision.BF16 ? DType.BF16 : DType.F32;
        if (config.stage() == Stage.PRETRAIN) {
            return directory ->
                    ModelFiles.saveProjector(directory, trained.config().projectorType(), trained.weights(), type);
        }
        if (lora != null) {
            PeftAdapterWriter.Adapter adapter = new PeftAdapterWriter.Adapter(
                    trained.config(),
                    lora,
                    config.model().languageFolder(),
                    config.model().visionTower());
            return directory ->
                    ModelFiles.saveAdapter(directory, adapter, trained.weights(), trained.tokenizer(), type);
        }
        return directory -> ModelFiles.save(
                directory, new ModelKind.Llava(trained.config()), trained.weights(), trained.tokenizer(), type);
    }
}
