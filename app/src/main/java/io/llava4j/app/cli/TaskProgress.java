package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.run.Evaluation;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** A progress line for each task. */
final class TaskProgress implements Evaluation.Observer, AutoCloseable {
    private final PrintWriter err;
    private @Nullable Benchmark current;
    private @Nullable ProgressLine line;

    TaskProgress(PrintWriter err) {
        this.err = err;
    }

    @Override
    public void answered(Benchmark task, long done, long total) {
        ProgressLine shown = line;
        if (shown == null || !task.equals(current)) {
            close();
            shown = ProgressLine.onStderr(task.title(), "questions");
            line = shown;
            current = task;
        }
        shown.update(done, total);
    }

    @Override
    public void warning(Benchmark task, String sentence) {
        note("warning: %s: %s".formatted(task.title(), sentence));
    }

    @Override
    public void note(String sentence) {
        close();
        err.println("llava: " + sentence);
        err.flush();
    }

    @Override
    public void close() {
        if (line != null) {
            line.close();
            line = null;
            current = null;
        }
    }
}
