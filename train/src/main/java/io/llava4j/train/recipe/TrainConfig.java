package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.config.Retired;
import io.llava4j.train.data.DataConfig;
import io.llava4j.train.run.AdamW;
import io.llava4j.train.run.Checkpoints;
import io.llava4j.train.run.Distributed;
import io.llava4j.train.run.EngineSettings;
import io.llava4j.train.run.HeldOut;
import io.llava4j.train.run.LearningRate;
import io.llava4j.train.run.LoraSettings;
import io.llava4j.train.run.MicroBatches;
import io.llava4j.train.run.ModelAssembly;
import io.llava4j.train.run.RunConfig;
import io.llava4j.train.run.RunFiles;
import io.llava4j.train.run.TrainableParts;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A recipe of one of LLaVA's two stages with every value resolved. The YAML keys are the component names in kebab-case,
 * one mapping per section; {@link RecipeLoader} reads them. Each section's record checks its own values, this one checks
 * what must fit together. Relative paths are relative to the working directory.
 *
 * @param stage what is trained; fixes the defaults of the keys in which the stages differ
 *     (docs/reference/training.md#stages)
 * @param seed seed of random weights, data order and dropout
 * @param output run directory
 * @param model where the model comes from
 * @param data the training data
 * @param trainable which parts are trained
 * @param lora adapters that are trained instead of the language model; no adapters without this section
 * @param optimizer AdamW
 * @param schedule length of the run and learning-rate curve
 * @param batch samples per optimiser step
 * @param device {@code cpu} or {@code cuda:N}
 * @param threads threads of the engine; 0 for one per processor
 * @param engine numbers that the engine computes with
 * @param distributed how processes train together
 * @param gradientCheckpointing whether the backward pass recomputes the language model's blocks instead of keeping their
 *     activations: the same numbers with less memory, in a third more time
 * @param logging when metrics are written
 * @param checkpoint when resumable states are saved
 * @param evaluation held-out data that the run is evaluated on; no evaluation without this section
 */
@Retired(key = "precision", only = "fp32")
public record TrainConfig(
        Stage stage,
        @Default("42") long seed,
        Path output,
        ModelAssembly.Config model,
        DataConfig data,
        TrainableParts trainable,
        @Nullable LoraSettings lora,
        AdamW.Config optimizer,
        LearningRate.Config schedule,
        MicroBatches.Config batch,
        @Default("cpu") String device,
        @Default("0") int threads,
        EngineSettings engine,
        Distributed distributed,
        @Default("false") boolean gradientCheckpointing,
        RunFiles.Config logging,
        Checkpoints.Config checkpoint,
        HeldOut.@Nullable Config evaluation)
        implements RunConfig {

    /** @throws ConfigException naming the keys that do not fit together */
    public TrainConfig {
        RunConfig.check(device, threads);
        checkParts(model);
        checkTiling(model, data.imageAspectRatio());
        Require.that(
                evaluation == null || evaluation.tasks().isEmpty() || data.template() != DataConfig.Template.PLAIN,
                "evaluation.tasks asks questions but data.template plain reads none; remove evaluation.tasks");
        Require.that(
                data.featureCache() == null || !trainable.visionTower(),
                "data.feature-cache keeps the features of a frozen vision tower but trainable.vision-tower is true; remove"
                        + " one of the two");
        Require.that(
                !data.groupByModality() || data.template() != DataConfig.Template.PLAIN,
                "data.group-by-modality is true but data.template plain takes images only; set it to false");
        if (lora != null) {
            checkAdapters(stage, lora, trainable, batch);
        }
        Require.that(
                lora != null || trainable.any(),
                "trainable has no part that is true; set one of projector, language-model, vision-tower to true");
        Require.that(
                batch.parallel() == 1 || !gradientCheckpointing,
                "gradient-checkpointing saves memory and batch.parallel %d spends it; set batch.parallel to 1"
                        .formatted(batch.parallel()));
        Require.that(
                lora == null || lora.bits() == 16 || gradientCheckpointing,
                "lora.bits %d decodes the weights of one block at a time, which needs gradient-checkpointing true"
                        .formatted(lora == null ? 16 : lora.bits()));
        Require.that(
                !trainable.projector() || !model.projectorType().equals("identity"),
                "trainable.projector is true but model.projector-type is identity, which has no weights; set it to"
                        + " false or choose mlp2x_gelu");
        Require.that(
                optimizer.projectorLearningRate() == null || trainable.projector() || lora != null,
                "optimizer.projector-learning-rate is set but trainable.projector is false; remove one of the two");
    }

    /** The same recipe on another device. */
    TrainConfig withDevice(String other) {
        return new TrainConfig(
                stage,
                seed,
                output,
                model,
                data,
                trainable,
                lora,
                optimizer,
                schedule,
                batch,
                other,
                threads,
                engine,
                distributed,
                gradientCheckpointing,
                logging,
                checkpoint,
                evaluation);
    }

    private static void checkParts(ModelAssembly.Config model) {
        boolean whole = model.base() != null;
        Require.that(
                !whole || (model.visionTower() == null && model.languageModel() == null),
                "model.base names a whole model, so model.%s cannot be set as well; remove one"
                        .formatted(model.visionTower() != null ? "vision-tower" : "language-model"));
        Require.that(
                whole || (model.visionTower() != null && model.languageModel() != null),
                "model.base is missing; name a model's folder, or set both model.vision-tower and model.language-model");
    }

    private static void checkTiling(ModelAssembly.Config model, DataConfig.ImageAspectRatio aspect) {
        boolean tiles = aspect == DataConfig.ImageAspectRatio.ANYRES;
        Require.that(
                tiles || (model.imageGrids() == null && model.patchMergeType() == null),
                "model.%s is for images in tiles; set data.image-aspect-ratio to anyres, or remove the key"
                        .formatted(model.imageGrids() != null ? "image-grids" : "patch-merge-type"));
        Require.that(
                !tiles || model.selectFeature() == ModelAssembly.SelectFeature.PATCH,
                "model.select-feature is cls-patch but data.image-aspect-ratio is anyres, whose map of tiles has no place"
                        + " for the CLS feature; set it to patch");
        Require.that(
                !tiles || model.base() != null || model.imageGrids() != null,
                "data.image-aspect-ratio is anyres but model.image-grids is missing; write canvases such as [[336, 672],"
                        + " [672, 336], [672, 672], [1008, 336], [336, 1008]]");
    }

    private static void checkAdapters(
            Stage stage, LoraSettings lora, TrainableParts trainable, MicroBatches.Config batch) {
        Require.that(
                stage == Stage.FINETUNE, "lora adapters are trained in stage finetune only; remove the section lora");
        Require.that(
                !trainable.languageModel(),
                "lora is set but trainable.language-model is true; set it to false, as the adapters are trained in its"
                        + " place");
        Require.that(
                batch.parallel() == 1 || lora.dropout() == 0,
                "lora.dropout draws from one generator; set batch.parallel to 1 or lora.dropout to 0");
    }
}
