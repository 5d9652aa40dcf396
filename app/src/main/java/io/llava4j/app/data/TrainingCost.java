package io.llava4j.app.data;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.data.check.DataStats;
import io.llava4j.train.recipe.Stage;
import io.llava4j.train.recipe.TrainConfig;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What training a recipe on a data set takes: 2 operations for each parameter and token forward, as many again for the
 * gradients that go on, and again for those of the weights that learn; attention by the square of the length.
 *
 * @param steps optimiser steps
 * @param samplesPerStep records of one step on one device
 * @param tokens places of all sequences of all epochs, cut to the longest one
 * @param operations floating-point operations; 0 where the model is not known
 */
public record TrainingCost(long steps, int samplesPerStep, long tokens, double operations) {
    /** Counts. */
    public static TrainingCost of(TrainConfig config, @Nullable LlavaConfig model, DataStats stats) {
        int samplesPerStep = config.samplesPerStep();
        int perEpoch = Math.ceilDiv(stats.records(), samplesPerStep);
        Integer limit = config.schedule().maxSteps();
        long steps = limit != null
                ? limit
                : Math.max(1, (long) Math.ceil(config.schedule().epochs() * perEpoch));
        double epochs = (double) steps / perEpoch;
        long tokens = Arrays.stream(stats.lengths())
                .asLongStream()
                .map(length -> Math.min(length, stats.maxLength()))
                .sum();
        double operations =
                model == null || stats.lengths().length == 0 ? 0 : epochs * operations(config, model, stats);
        return new TrainingCost(steps, samplesPerStep, (long) (epochs * tokens), operations);
    }

    private static double operations(TrainConfig config, LlavaConfig model, DataStats stats) {
        double decoder = 0;
        double tower = 0;
        double projector = 0;
        for (var shape : ExpectedTensors.of(new ModelKind.Llava(model)).shapes().entrySet()) {
            double size = Arrays.stream(shape.getValue()).asDoubleStream().reduce(1, (a, b) -> a * b);
            String name = shape.getKey();
            if (name.contains("projector")) {
                projector += size;
            } else if (name.contains("vision")) {
                tower += size;
            } else if (!name.contains("embed_tokens") && !name.contains("lm_head")) {
                decoder += size;
            }
        }
        double head = (double) model.text().vocabSize() * model.text().hiddenSize();
        boolean decoderLearns =
                config.stage() == Stage.FINETUNE && config.trainable().languageModel();
        double passes = 2 + (decoderLearns ? 4 : 2) + (config.gradientCheckpointing() ? 2 : 0);
        double images = stats.sources().values().stream()
                .mapToDouble(source -> source.images() == 0 ? 0 : source.records())
                .sum();
        double rows = model.tokensPerImage();
        double all = images * rows * (2 * tower + 6 * projector);
        for (int i = 0; i < stats.lengths().length; i++) {
            double length = Math.min(stats.lengths()[i], stats.maxLength());
            double attention =
                    length * length * model.text().hiddenSize() * model.text().layers();
            all += passes * (decoder * length + attention) + 6 * head * stats.supervised()[i];
        }
        return all;
    }

    /** Hours at a sustained speed. */
    public double hours(double teraflops) {
        return operations / (teraflops * 1e12) / 3600;
    }
}
