package io.llava4j.train.launch;

import java.util.List;

/**
 * How a rank is.
 *
 * @param rank of the process
 * @param code its exit code; {@link #RUNNING} while it runs
 * @param beat the last that it said
 * @param silentSeconds since then, or since its start
 * @param endedAfterSeconds from the start of the attempt to its end; 0 while it runs
 * @param lines its last lines
 */
public record RankStatus(
        int rank, int code, Beat beat, double silentSeconds, double endedAfterSeconds, List<String> lines) {
    /** In place of the exit code of a process that runs. */
    static final int RUNNING = -1;

    private static final int USAGE = 2;

    private static final int SIGNAL = 128;

    boolean isRunning() {
        return code == RUNNING;
    }

    boolean failed() {
        return !isRunning() && code != 0;
    }

    boolean wasKilled() {
        return code > SIGNAL;
    }

    /** Whether it failed only because another rank did. */
    boolean isLost() {
        return failed() && beat.state() == Beat.State.LOST;
    }

    /** Whether it would fail the same way in another attempt: a wrong command line or recipe. */
    boolean isRefused() {
        return failed() && (code == USAGE || beat.state() == Beat.State.REFUSED);
    }

    /** For messages: {@code was killed by signal 9}. */
    String howEnded() {
        return wasKilled() ? "was killed by signal " + (code - SIGNAL) : "ended with exit code " + code;
    }
}
