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
 * The cost of training with a recipe on a data set: 2 operations for each parameter and token in the forward pass, 2 for
 * the gradients of the activations, 2 for those of trainable parameters; attention grows with the square of the length.
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
        double languageModel = 0;
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
                languageModel += size;
            }
        }
        double head = (double) model.text().vocabSize() * model.text().hiddenSize();
        boolean trainsLanguageModel =
                config.stage() == Stage.FINETUNE && config.trainable().languageModel();
        double passes = 2 + (trainsLanguageModel ? 4 : 2) + (config.gradientCheckpointing() ? 2 : 0);
        double images = stats.sources().values().stream()
                .mapToDouble(source -> source.images() == 0 ? 0 : source.records())
                .sum();
        double imageTokens = model.tokensPerImage();
        double all = images * imageTokens * (2 * tower + 6 * projector);
        for (int i = 0; i < stats.lengths().length; i++) {
            double length = Math.min(stats.lengths()[i], stats.maxLength());
            double attention =
                    length * length * model.text().hiddenSize() * model.text().layers();
            all += passes * (languageModel * length + attention) + 6 * head * stats.supervised()[i];
        }
        return all;
    }

    /** Hours at a sustained speed in 10^12 operations per second. */
    public double hours(double teraflops) {
        return operations / (teraflops * 1e12) / 3600;
    }
}
