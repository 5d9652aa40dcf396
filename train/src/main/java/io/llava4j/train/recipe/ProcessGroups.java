package io.llava4j.train.recipe;

import io.llava4j.tensor.Engine;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.collective.Rank;
import java.time.Duration;

/** The process group of a recipe. */
public final class ProcessGroups {
    private static final String GPU = "cuda:";

    private ProcessGroups() {}

    /** Joins the processes that train a recipe together; a group of one where there are no others. */
    public static ProcessGroup join(Rank rank, TrainConfig config) {
        if (rank.isAlone()) {
            return ProcessGroup.alone();
        }
        Duration timeout = Duration.ofSeconds(config.distributed().timeout());
        return ProcessGroup.join(
                rank.withTimeout(timeout), Engine.device(on(rank, config).device()));
    }

    /** The recipe on the device of a process: of several on GPUs, each has the GPU of its local rank. */
    public static TrainConfig on(Rank rank, TrainConfig config) {
        return rank.isAlone() || !config.device().startsWith(GPU) ? config : config.withDevice(GPU + rank.localRank());
    }
}
