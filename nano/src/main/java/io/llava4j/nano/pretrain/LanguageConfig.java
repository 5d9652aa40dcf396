package io.llava4j.nano.pretrain;

import io.llava4j.train.config.Alias;
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
 * A recipe that pre-trains a language model on text about scenes; see {@code recipes/nano/language.yaml}.
 *
 * @param stage must be {@code language}
 * @param seed seed of random weights
 * @param output run directory
 * @param model where the language model comes from
 * @param data the text
 * @param optimizer AdamW
 * @param schedule length of the run and learning-rate curve
 * @param batch texts per optimiser step
 * @param device {@code cpu} or {@code cuda:N}
 * @param threads threads of the engine; 0 for one per processor
 * @param gradientCheckpointing whether the backward pass recomputes the blocks instead of keeping their activations
 * @param logging when metrics are written
 * @param checkpoint when resumable states are saved
 */
@Retired(key = "precision", only = "fp32")
public record LanguageConfig(
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
        @Default("false") boolean gradientCheckpointing,
        RunFiles.Config logging,
        Checkpoints.Config checkpoint)
        implements RunConfig {

    /** @throws io.llava4j.ConfigException naming the keys that do not fit together */
    public LanguageConfig {
        RunConfig.check(device, threads);
        TextShape text = model.config().text();
        Require.that(
                text == null || data.maxLength() <= text.maxPositionEmbeddings(),
                "data.max-length is %d but model.config.text.max-position-embeddings is smaller; lower the first or raise the second"
                        .formatted(data.maxLength()));
        Require.that(
                batch.parallel() == 1 || !gradientCheckpointing,
                "gradient-checkpointing saves memory and batch.parallel %d spends it; set batch.parallel to 1"
                        .formatted(batch.parallel()));
    }

    /**
     * Where the language model comes from.
     *
     * @param languageModel folder of a language model to train further, with its tokenizer
     * @param tokenizer SentencePiece model for a language model that starts at random; beside {@code language-model}, a larger
     *     vocabulary, which begins with the pieces of its own
     * @param config shape of a language model that starts at random; beside {@code language-model}, the shape it grows to
     */
    public record Model(
            @Nullable Path languageModel, @Nullable Path tokenizer, Shapes config) {
        /** @throws io.llava4j.ConfigException if something is missing */
        public Model {
            Require.that(
                    languageModel != null || config.text() != null,
                    "config.text is missing; give the language model's shape, or name one to train further as"
                            + " language-model");
            Require.that(
                    config.text() != null || tokenizer == null,
                    "config.text is missing; a larger vocabulary changes the language model's shape");
            Require.that(
                    config.text() == null || languageModel != null || tokenizer != null,
                    "tokenizer is missing; a language model that starts at random needs a tokenizer.model");
        }
    }

    /**
     * Shapes of what starts at random.
     *
     * @param text the language model
     */
    public record Shapes(@Nullable TextShape text) {}

    /**
     * What the language model reads.
     *
     * @param maxLength longest text in tokens; longer ones are truncated
     * @param nano text about scenes of the nano world, made during training
     */
    public record Data(@Default("2048") int maxLength, Texts nano) {
        /** @throws io.llava4j.ConfigException if no text could be so short */
        public Data {
            Require.atLeast("max-length", maxLength, 4);
        }
    }

    /**
     * Text about scenes.
     *
     * @param seed seed of the scenes, independent of the run's seed
     * @param count texts of one epoch
     * @param curriculum phases in order; the last one lasts to the end of the run
     */
    @Retired(key = "image-size")
    public record Texts(
            @Default("1") long seed,
            int count,
            @Default("[]") List<Part> curriculum) {
        /** @throws io.llava4j.ConfigException if there is no text */
        public Texts {
            Require.positive("count", count);
            curriculum = List.copyOf(curriculum);
        }

        /** The phase of a step from 0 up. */
        Part phaseAt(int step) {
            return Phase.at(curriculum, step, new Part(Integer.MAX_VALUE, 1, 5, 0, null, TextShares.DEFAULT));
        }
    }

    /**
     * One phase.
     *
     * @param steps optimiser steps of the phase
     * @param minObjects fewest objects of a scene
     * @param maxObjects most objects of a scene
     * @param imageTokenNoise largest standard deviation of the noise on synthetic image tokens
     * @param signs share of the scenes with a sign; one in ten by default
     * @param text shares of the kinds of text; captions 1 and conversations 4 without this section
     */
    @Retired(key = "image-size")
    public record Part(
            int steps,
            @Default("1") int minObjects,
            @Default("5") int maxObjects,
            @Alias("word-noise") @Default("0") double imageTokenNoise,
            @Nullable Double signs,
            @Nullable TextShares text)
            implements Phase {
        /** @throws io.llava4j.ConfigException if a number is impossible */
        public Part {
            Require.positive("steps", steps);
            Require.positive("min-objects", minObjects);
            Require.atLeast("max-objects", maxObjects, minObjects);
            Require.notNegative("image-token-noise", imageTokenNoise);
            Require.that(signs == null || (signs >= 0 && signs <= 1), "signs must lie in [0, 1], not " + signs);
        }

        /** Shares of the kinds of text. */
        TextShares shares() {
            return text == null ? TextShares.DEFAULT : text;
        }
    }
}
