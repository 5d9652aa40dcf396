package io.llava4j.app.terminal;

import io.llava4j.train.run.TrainingListener;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Shows a training run on a progress line: its loss, its speeds, and held-out loss and scores of the newest evaluation. */
public final class TrainingProgress implements TrainingListener {
    private final ProgressLine line;
    private String loss = "";
    private String heldOut = "";
    private int step;
    private int steps;

    /** @param line that is updated */
    public TrainingProgress(ProgressLine line) {
        this.line = line;
    }

    @Override
    public void begin(int firstStep, int steps) {
        this.step = firstStep;
        this.steps = steps;
        line.update(firstStep, steps);
    }

    @Override
    public void step(Step step) {
        this.step = step.step();
        loss = String.format(
                Locale.ROOT, "loss %.3f, %.0f tokens/s%s", step.loss(), step.tokens() / step.seconds(), speed(step));
        show();
    }

    @Override
    public void evaluation(Evaluation evaluation) {
        heldOut = String.format(
                Locale.ROOT,
                "held-out loss %.3f%s after step %d",
                evaluation.loss().value(),
                scores(evaluation.scores()),
                evaluation.step());
        show();
    }

    /** Operations a second of each process, where they are known, and their share of the stated peak. */
    private static String speed(Step step) {
        if (step.operations() == 0) {
            return "";
        }
        Double mfu = step.mfu();
        return String.format(Locale.ROOT, step.teraflops() < 10 ? ", %.3f TFLOP/s" : ", %.0f TFLOP/s", step.teraflops())
                + (mfu == null ? "" : String.format(Locale.ROOT, " (MFU %.1f %%)", 100 * mfu));
    }

    private void show() {
        line.update(
                step,
                steps,
                Stream.of(loss, heldOut).filter(part -> !part.isEmpty()).collect(Collectors.joining(", ")));
    }

    private static String scores(Map<String, Double> scores) {
        return scores.entrySet().stream()
                .map(score -> String.format(Locale.ROOT, ", %s %.1f", score.getKey(), score.getValue()))
                .collect(Collectors.joining());
    }
}
