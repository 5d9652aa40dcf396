package io.llava4j.app.terminal;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.run.Evaluation;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Shows an evaluation on one line over all its benchmarks, and ends it if a stop is requested. */
public final class EvaluationProgress implements Evaluation.Observer {
    private final ProgressLine line;
    private final BooleanSupplier stopRequested;
    private final Consumer<String> notes;
    private final Map<String, Long> done = new HashMap<>();
    private long total;

    /**
     * @param stopRequested true makes the evaluation throw a {@link CancellationException}; the answers so far are in its files
     * @param notes receives the evaluation's warnings
     */
    public EvaluationProgress(ProgressLine line, BooleanSupplier stopRequested, Consumer<String> notes) {
        this.line = line;
        this.stopRequested = stopRequested;
        this.notes = notes;
    }

    /** Sets the number of questions of all benchmarks. */
    public void expect(long questions) {
        total = questions;
    }

    @Override
    public void answered(Benchmark task, long answered, long ofTask) {
        done.put(task.name(), answered);
        line.update(done.values().stream().mapToLong(count -> count).sum(), total);
        if (stopRequested.getAsBoolean()) {
            throw new CancellationException();
        }
    }

    @Override
    public void note(String sentence) {
        notes.accept(sentence);
    }
}
