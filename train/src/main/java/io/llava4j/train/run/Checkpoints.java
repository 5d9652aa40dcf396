package io.llava4j.train.run;

/** Where a run keeps states to go on from. */
public interface Checkpoints {
    /** Keeps nothing. */
    Checkpoints NONE = new Checkpoints() {
        @Override
        public int restoreLatest(TrainableParameters parameters, AdamW optimizer) {
            return 0;
        }

        @Override
        public void save(int step, TrainableParameters parameters, AdamW optimizer) {}
    };

    /**
     * Takes the newest state back.
     *
     * @return optimiser steps done; 0 if there is no state
     */
    int restoreLatest(TrainableParameters parameters, AdamW optimizer);

    /**
     * Keeps a state.
     *
     * @param step optimiser steps done
     */
    void save(int step, TrainableParameters parameters, AdamW optimizer);
}
