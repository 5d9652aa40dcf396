package io.llava4j.generate;

import io.llava4j.checkpoint.layout.TensorEntry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/**
 * Looks for NaN and infinity in mapped weights while the model already answers. Opening a model then need not read all its
 * values, which for a large one takes as long as its disk needs.
 */
final class WeightCheck implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final List<TensorEntry> tensors;
    private final Consumer<List<String>> report;
    private final Thread thread;
    private volatile boolean stopped;

    private WeightCheck(Collection<TensorEntry> tensors, Consumer<List<String>> report) {
        this.tensors = List.copyOf(tensors);
        this.report = report;
        this.thread = Thread.ofPlatform().daemon().name("weight-check").unstarted(this::run);
    }

    /**
     * Starts to read.
     *
     * @param tensors stay open until this is closed
     * @param report receives the names of tensors that are not finite, in another thread; not called if there are none
     */
    static WeightCheck start(Collection<TensorEntry> tensors, Consumer<List<String>> report) {
        WeightCheck check = new WeightCheck(tensors, report);
        check.thread.start();
        return check;
    }

    private void run() {
        List<String> damaged = new ArrayList<>();
        for (TensorEntry tensor : tensors) {
            if (stopped) {
                break;
            }
            if (!tensor.isFinite()) {
                damaged.add(tensor.name());
            }
        }
        if (!damaged.isEmpty()) {
            report.accept(damaged);
        }
    }

    /** Waits a moment for the check to end, as it does for a small model; then stops it and reports what it found so far. */
    @Override
    public void close() {
        try {
            thread.join(GRACE);
            stopped = true;
            thread.join();
        } catch (InterruptedException e) {
            stopped = true;
            Thread.currentThread().interrupt();
        }
    }
}
