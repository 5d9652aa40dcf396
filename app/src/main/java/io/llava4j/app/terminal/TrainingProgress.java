package io.llava4j.app.terminal;

import io.llava4j.train.run.TrainingListener;
import java.util.Locale;

/** Shows a training run on a progress line. */
public record TrainingProgress(ProgressLine line) implements TrainingListener {
    @Override
    public void begin(int firstStep, int steps) {
        line.update(firstStep, steps);
    }

    @Override
    public void step(Step step) {
        line.update(
                step.step(),
                step.steps(),
                String.format(Locale.ROOT, "loss %.3f, %.0f tokens/s", step.loss(), step.tokens() / step.seconds()));
    }
}
