package io.llava4j.app.terminal;

import io.llava4j.io.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress of one task on stderr: one updating line on a terminal, a line every few seconds otherwise; with
 * rate and estimated remaining time. Safe to call from several threads.
 */
public final class ProgressLine implements Progress.Shown {
    /** Set by the launcher to the width of the terminal where stderr is one; Java itself cannot ask for stderr. */
    private static final String COLUMNS = "llava.columns";

    private static final long SECOND = 1_000_000_000L;
    private static final long TERMINAL_INTERVAL = SECOND / 5;
    private static final long LOG_INTERVAL = 5 * SECOND;

    private final PrintWriter err;
    private final int columns;
    private final LongSupplier clock;
    private final String what;
    private final String unit;
    private final long start;
    private long shownAt;
    private boolean shown;
    private int width;
    private long first = -1;
    private long done;
    private long total;
    private String note = "";

    /**
     * @param what the task, for example {@code stage 1}
     * @param unit what is counted, in the plural, for example {@code steps}
     * @return a line that ends when it is closed
     */
    public static ProgressLine onStderr(String what, String unit) {
        PrintWriter err = new PrintWriter(System.err, true, System.err.charset());
        return new ProgressLine(err, Integer.getInteger(COLUMNS, 0), System::nanoTime, what, unit);
    }

    ProgressLine(PrintWriter err, int columns, LongSupplier nanoClock, String what, String unit) {
        this.err = err;
        this.columns = columns;
        this.clock = nanoClock;
        this.what = what;
        this.unit = unit;
        this.start = nanoClock.getAsLong();
    }

    /** {@link #update(long, long, String)} without a note. */
    @Override
    public void update(long done, long total) {
        update(done, total, "");
    }

    /**
     * Updates the count. What the first call reports counts as done before this run began, so that the rate of a resumed
     * run is right; call it once with what exists already.
     *
     * @param done units done
     * @param total units in total; 0 if unknown
     * @param note text after the numbers, for example the loss
     */
    public synchronized void update(long done, long total, String note) {
        if (first < 0) {
            first = done;
        }
        this.done = done;
        this.total = total;
        this.note = note;
        long now = clock.getAsLong();
        if (!shown || now - shownAt >= (terminal() ? TERMINAL_INTERVAL : LOG_INTERVAL)) {
            show(now);
        }
    }

    /** Shows the last state and ends the line. */
    @Override
    public synchronized void close() {
        if (first >= 0) {
            show(clock.getAsLong());
            if (terminal()) {
                err.println();
                err.flush();
            }
        }
    }

    private boolean terminal() {
        return columns > 0;
    }

    private void show(long now) {
        String line = line((now - start) / (double) SECOND);
        if (terminal()) {
            line = line.substring(0, Math.min(line.length(), columns - 1));
            err.print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
            width = line.length();
        } else {
            err.println(line);
        }
        err.flush();
        shown = true;
        shownAt = now;
    }

    private String line(double seconds) {
        StringBuilder line = new StringBuilder(what).append(": ").append(done);
        if (total > 0) {
            line.append('/').append(total);
        }
        line.append(' ').append(unit);
        if (total > 0) {
            line.append(String.format(Locale.ROOT, " (%.0f %%)", 100.0 * done / total));
        }
        double rate = seconds > 0 ? (done - first) / seconds : 0;
        if (rate > 0) {
            line.append(String.format(Locale.ROOT, rate < 10 ? ", %.2f %s/s" : ", %.0f %s/s", rate, unit));
            if (total > done) {
                line.append(", ").append(duration((total - done) / rate)).append(" left");
            }
        }
        line.append(", ").append(duration(seconds)).append(" so far");
        return (note.isEmpty() ? line : line.append(", ").append(note)).toString();
    }

    /** {@code 42 s}, {@code 3:07} or {@code 2:03:07}. */
    static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        return whole < 3600
                ? String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    }
}
