package io.llava4j.train.run;

import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;

/** Where a run saves the states that it can resume from. */
public interface Checkpoints {
    /**
     * When resumable states are saved.
     *
     * @param everySteps steps from one checkpoint to the next; 0 for none before the end
     * @param keepLast number of checkpoints that are kept; older ones are deleted
     */
    record Config(
            @Default("500") int everySteps, @Default("1") int keepLast) {
        public Config {
            Require.atLeast("every-steps", everySteps, 0);
            Require.positive("keep-last", keepLast);
        }
    }

    /** Saves nothing. */
    Checkpoints NONE = new Checkpoints() {
        @Override
        public int restoreLatest(TrainableParameters parameters, AdamW optimizer) {
            return 0;
        }

        @Override
        public void save(int step, TrainableParameters parameters, AdamW optimizer) {}
    };

    /**
     * Restores the newest state.
     *
     * @return optimiser steps done; 0 if there is no state
     */
    int restoreLatest(TrainableParameters parameters, AdamW optimizer);

    /**
     * Saves a state.
     *
     * @param step optimiser steps done
     */
    void save(int step, TrainableParameters parameters, AdamW optimizer);
}
