package io.llava4j.app.data;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.data.check.DataStats;
import io.llava4j.train.recipe.Stage;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.Operations;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The cost of training with a recipe on a data set, by its {@link Operations}.
 *
 * @param steps optimiser steps
 * @param samplesPerStep records of one step on one device
 * @param tokens of all sequences of all epochs, after truncation
 * @param operations floating-point operations; 0 if the model is not known
 */
public record TrainingCost(long steps, int samplesPerStep, long tokens, double operations) {
    /** Computes the cost. */
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
        boolean trainsLanguageModel =
                config.stage() == Stage.FINETUNE && config.trainable().languageModel();
        Operations each = Operations.of(model, trainsLanguageModel, config.gradientCheckpointing());
        double all = stats.views() * each.perView();
        for (int i = 0; i < stats.lengths().length; i++) {
            all += each.ofSequence(Math.min(stats.lengths()[i], stats.maxLength()), stats.supervised()[i]);
        }
        return all;
    }

    /** Hours at a sustained speed in 10^12 operations per second. */
    public double hours(double teraflops) {
        return operations / (teraflops * 1e12) / 3600;
    }
}
