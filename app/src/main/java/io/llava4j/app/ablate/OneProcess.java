package io.llava4j.app.ablate;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.TrainingProgress;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingRun;
import java.util.function.BooleanSupplier;

/**
 * Training in this process.
 *
 * @param stopRequested true stops at the next safe point
 */
public record OneProcess(BooleanSupplier stopRequested) implements Trainer {
    @Override
    public boolean train(TrainConfig config, String what) {
        try (ProgressLine progress = ProgressLine.onStderr(what, "steps")) {
            return TrainingRun.run(config, Objectives::create, true, new TrainingProgress(progress), stopRequested);
        }
    }

    @Override
    public int processes() {
        return 1;
    }
}
