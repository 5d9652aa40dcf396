package io.llava4j.app.ablate;

import io.llava4j.train.recipe.TrainConfig;

/** Trains the recipes of a ladder. */
public interface Trainer {
    /**
     * Trains a recipe to its end, from its newest checkpoint if there is one.
     *
     * @param what for progress and messages
     * @return false if a stop was requested before
     * @throws io.llava4j.LlavaException if it fails
     */
    boolean train(TrainConfig config, String what);

    /** How many processes train; they multiply the samples of a step. */
    int processes();
}
