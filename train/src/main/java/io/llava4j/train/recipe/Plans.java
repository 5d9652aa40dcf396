package io.llava4j.train.recipe;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.data.DataConfig;
import io.llava4j.train.run.plan.PlannedRun;
import io.llava4j.train.run.shard.Sharding;

/** What a recipe says about the memory and time of a run. */
public final class Plans {
    /** Longest caption of stage 1 in tokens. */
    private static final int CAPTION = 128;

    private Plans() {}

    /**
     * The run at its worst: every sequence as long as the recipe allows, with an image of as many tiles as the model takes, and every text token supervised; in
     * stage 1, whose texts are captions, of {@value #CAPTION} text tokens.
     *
     * @param config the recipe
     * @param model its shape
     * @param sharding what processes share
     * @param worldSize number of processes
     */
    public static PlannedRun of(TrainConfig config, LlavaConfig model, Sharding sharding, int worldSize) {
        int perDevice = config.batch().perDevice();
        boolean plain = config.data().template() == DataConfig.Template.PLAIN;
        int supervised = Math.max(1, config.data().maxLength() - model.minTokensPerImage());
        int tokens = plain
                ? Math.min(config.data().maxLength(), model.tokensPerImage() + CAPTION)
                : config.data().maxLength();
        return new PlannedRun(
                model,
                config.trainable(),
                config.lora(),
                config.engine().precision(),
                sharding,
                worldSize,
                new PlannedRun.Batch(perDevice, tokens, plain ? CAPTION : supervised, perDevice),
                config.batch().accumulation(),
                config.batch().parallel(),
                config.gradientCheckpointing());
    }
}
