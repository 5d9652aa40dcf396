package io.llava4j.nano.pretrain;

import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.config.Retired;
import io.llava4j.train.run.AdamW;
import io.llava4j.train.run.Checkpoints;
import io.llava4j.train.run.LearningRate;
import io.llava4j.train.run.MicroBatches;
import io.llava4j.train.run.RunConfig;
import io.llava4j.train.run.RunFiles;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A recipe that pre-trains a vision tower on drawn scenes; see {@code recipes/nano/tower.yaml}.
 *
 * @param stage must be {@code tower}
 * @param seed seed of random weights
 * @param output run directory
 * @param model where the tower comes from
 * @param data the scenes
 * @param optimizer AdamW
 * @param schedule length of the run and learning-rate curve
 * @param batch images per optimiser step
 * @param device {@code cpu} or {@code cuda:N}
 * @param threads threads of the engine; 0 for one per processor
 * @param logging when metrics are written
 * @param checkpoint when resumable states are saved
 */
@Retired(key = "precision", only = "fp32")
public record TowerConfig(
        PretrainingStage stage,
        @Default("42") long seed,
        Path output,
        Model model,
        Data data,
        AdamW.Config optimizer,
        LearningRate.Config schedule,
        MicroBatches.Config batch,
        @Default("cpu") String device,
        @Default("0") int threads,
        RunFiles.Config logging,
        Checkpoints.Config checkpoint)
        implements RunConfig {

    /** @throws io.llava4j.ConfigException naming the key that is impossible */
    public TowerConfig {
        RunConfig.check(device, threads);
    }

    /**
     * Where the tower comes from.
     *
     * @param visionTower folder of a tower to train further
     * @param config shape of a tower that starts at random; beside {@code vision-tower}, the shape it grows to
     */
    public record Model(@Nullable Path visionTower, Shapes config) {
        /** @throws io.llava4j.ConfigException if there is neither */
        public Model {
            Require.that(
                    visionTower != null || config.vision() != null,
                    "config.vision is missing; give the tower's shape, or name a tower to train further as vision-tower");
        }
    }

    /**
     * Shapes of what starts at random.
     *
     * @param vision the tower
     */
    public record Shapes(@Nullable VisionShape vision) {}

    /**
     * What the tower sees.
     *
     * @param nano scenes of the nano world, drawn during training
     */
    public record Data(Scenes nano) {}

    /**
     * Drawn scenes.
     *
     * @param seed seed of the scenes, independent of the run's seed
     * @param count scenes of one epoch
     * @param imageSize edge of a scene in pixels without a curriculum
     * @param curriculum phases in order; the last one lasts to the end of the run
     */
    public record Scenes(
            @Default("1") long seed,
            int count,
            int imageSize,
            @Default("[]") List<Part> curriculum) {
        /** @throws io.llava4j.ConfigException if a number is below 1 */
        public Scenes {
            Require.positive("count", count);
            Require.positive("image-size", imageSize);
            curriculum = List.copyOf(curriculum);
        }

        /** The phase of a step from 0 up. */
        Part phaseAt(int step) {
            return Phase.at(curriculum, step, new Part(Integer.MAX_VALUE, imageSize, 1, 5, null));
        }
    }

    /**
     * One phase.
     *
     * @param steps optimiser steps of the phase
     * @param imageSize edge of a scene in pixels
     * @param minObjects fewest objects of a scene
     * @param maxObjects most objects of a scene
     * @param signs share of the scenes with a sign; single things have none by default, other scenes one in ten
     */
    public record Part(
            int steps,
            @Default("96") int imageSize,
            @Default("1") int minObjects,
            @Default("5") int maxObjects,
            @Nullable Double signs)
            implements Phase {
        /** @throws io.llava4j.ConfigException if a number is impossible */
        public Part {
            Require.that(signs == null || (signs >= 0 && signs <= 1), "signs must lie in [0, 1], not " + signs);
            Require.positive("steps", steps);
            Require.positive("image-size", imageSize);
            Require.positive("min-objects", minObjects);
            Require.atLeast("max-objects", maxObjects, minObjects);
        }
    }
}
