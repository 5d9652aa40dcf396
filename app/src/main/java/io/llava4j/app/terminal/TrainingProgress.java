package io.llava4j.app.terminal;

import io.llava4j.train.run.TrainingListener;
import java.util.Locale;

/** Shows a training run on a progress line: its loss, its speed and the newest held-out loss. */
public final class TrainingProgress implements TrainingListener {
    private final ProgressLine line;
    private String heldOut = "";

    /** @param line that is updated */
    public TrainingProgress(ProgressLine line) {
        this.line = line;
    }

    @Override
    public void begin(int firstStep, int steps) {
        line.update(firstStep, steps);
    }

    @Override
    public void step(Step step) {
        line.update(
                step.step(),
                step.steps(),
                String.format(
                        Locale.ROOT,
                        "loss %.3f, %.0f tokens/s%s",
                        step.loss(),
                        step.tokens() / step.seconds(),
                        heldOut));
    }

    @Override
    public void evaluation(Evaluation evaluation) {
        heldOut = String.format(
                Locale.ROOT,
                ", held-out loss %.3f after step %d",
                evaluation.loss().value(),
                evaluation.step());
    }
}
