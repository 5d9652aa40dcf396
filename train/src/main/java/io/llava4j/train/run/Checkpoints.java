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
        public RunProgress restoreLatest(TrainableParameters parameters, AdamW optimizer) {
            return RunProgress.START;
        }

        @Override
        public void save(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {}

        @Override
        public void saveBeside(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {}

        @Override
        public void saveBest(int step, Objective objective) {}
    };

    /**
     * Restores the newest state.
     *
     * @return how far the run is; {@link RunProgress#START} if there is no state
     */
    RunProgress restoreLatest(TrainableParameters parameters, AdamW optimizer);

    /**
     * Saves a state, in one step, then deletes the oldest beyond the number to keep. It may be written after this returns,
     * from a copy; {@link #complete} tells what became of it.
     *
     * @param progress how far the run is
     */
    void save(RunProgress progress, TrainableParameters parameters, AdamW optimizer);

    /**
     * Completes a save that is still being written; nothing where {@link #save} writes at once.
     *
     * @param waits whether to wait for it; otherwise nothing happens before it is written
     * @throws io.llava4j.LlavaException if it could not be written, for example because the disk is full
     */
    default void complete(boolean waits) {}

    /** Saves a state as {@link #save}, but deletes none; for a run that diverges, as an older one may be better. */
    void saveBeside(RunProgress progress, TrainableParameters parameters, AdamW optimizer);

    /** Saves the best model so far, then deletes the one before. */
    void saveBest(int step, Objective objective);
}
