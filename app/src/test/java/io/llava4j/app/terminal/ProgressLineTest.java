package io.llava4j.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    private static final long SECOND = 1_000_000_000L;

    private final StringWriter err = new StringWriter();
    private final AtomicLong clock = new AtomicLong();

    @Test
    void logGetsALineEveryFiveSecondsAndTheLastState() {
        try (ProgressLine progress = line(0)) {
            for (int step = 0; step <= 12; step++) {
                clock.set(step * SECOND);
                progress.update(step * 20L, 400, "loss 2.5");
            }
        }
        assertThat(err.toString().lines())
                .containsExactly(
                        "stage 1: 0/400 steps (0 %), 0 s so far, loss 2.5",
                        "stage 1: 100/400 steps (25 %), 20 steps/s, 15 s left, 5 s so far, loss 2.5",
                        "stage 1: 200/400 steps (50 %), 20 steps/s, 10 s left, 10 s so far, loss 2.5",
                        "stage 1: 240/400 steps (60 %), 20 steps/s, 8 s left, 12 s so far, loss 2.5");
    }

    @Test
    void rateOfAResumedRunCountsOnlyItsOwnSteps() {
        try (ProgressLine progress = line(0)) {
            progress.update(300, 400);
            clock.set(10 * SECOND);
            progress.update(310, 400);
        }
        assertThat(err.toString()).contains("310/400 steps (78 %), 1.00 steps/s, 1:30 left, 10 s so far");
    }

    @Test
    void terminalGetsOneLineThatIsErasedAndFits() {
        try (ProgressLine progress = line(46)) {
            progress.update(0, 10, "a remark that is much too long for this terminal");
            clock.set(SECOND);
            progress.update(1, 10);
        }
        String[] shown = err.toString().split("\r");
        assertThat(err.toString().strip()).doesNotContain("\n");
        assertThat(shown[1]).hasSize(45);
        assertThat(shown[2])
                .startsWith("stage 1: 1/10 steps (10 %), 1.00 steps/s, 9 ")
                .hasSize(45);
        assertThat(err.toString()).endsWith(System.lineSeparator());
    }

    @Test
    void unknownTotalShowsNoEstimate() {
        try (ProgressLine progress = line(0)) {
            progress.update(0, 0);
            clock.set(2 * SECOND);
            progress.update(50, 0);
        }
        assertThat(err.toString().lines().toList().getLast()).isEqualTo("stage 1: 50 steps, 25 steps/s, 2 s so far");
    }

    @Test
    void durationsReadLikeAClock() {
        assertThat(ProgressLine.duration(59.4)).isEqualTo("59 s");
        assertThat(ProgressLine.duration(187)).isEqualTo("3:07");
        assertThat(ProgressLine.duration(7387)).isEqualTo("2:03:07");
    }

    private ProgressLine line(int columns) {
        return new ProgressLine(new PrintWriter(err), columns, clock::get, "stage 1", "steps");
    }
}
