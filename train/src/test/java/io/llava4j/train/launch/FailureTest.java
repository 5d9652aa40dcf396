package io.llava4j.train.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which rank is the cause when several fail, wait or are silent. */
class FailureTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static Beat beat(Beat.State state, double seconds) {
        return new Beat(state, state == Beat.State.TRAINING ? "" : "the all-reduce", 12, 80, seconds);
    }

    private static RankStatus running(int rank, Beat.State state, double seconds, double silent) {
        return new RankStatus(rank, RankStatus.RUNNING, beat(state, seconds), silent, 0, List.of());
    }

    private static RankStatus ended(int rank, int code, Beat.State state, double after) {
        return new RankStatus(rank, code, beat(state, 0), 0, after, List.of("last of " + rank));
    }

    private static Optional<String> cause(double now, RankStatus... ranks) {
        return Failure.in(List.of(ranks), now, TIMEOUT).map(Failure::sentence);
    }

    @Test
    void nothingIsWrong() {
        assertThat(cause(
                        99,
                        running(0, Beat.State.TRAINING, 29, 1),
                        running(1, Beat.State.WAITING, 29, 1),
                        ended(2, 0, Beat.State.TRAINING, 1)))
                .isEmpty();
    }

    @Test
    void aRankAloneMayComputeForLong() {
        assertThat(cause(5000, running(0, Beat.State.TRAINING, 4000, 1))).isEmpty();
    }

    @Test
    void theKilledRankIsTheCauseEvenIfOthersEndedBefore() {
        assertThat(cause(5, ended(0, 1, Beat.State.TRAINING, 4.8), ended(1, 137, Beat.State.TRAINING, 4.9)))
                .hasValue("rank 1 was killed by signal 9 at step 12 of 80");
    }

    @Test
    void ofOtherEndsTheFirstIsTheCauseOnceTheOthersHadTime() {
        RankStatus first = ended(2, 1, Beat.State.TRAINING, 4.5);
        assertThat(cause(4.6, running(0, Beat.State.WAITING, 1, 1), first)).isEmpty();
        assertThat(cause(5.1, ended(0, 1, Beat.State.TRAINING, 4.7), first))
                .hasValue("rank 2 ended with exit code 1 at step 12 of 80");
    }

    @Test
    void aLostRankIsNotTheCause() {
        RankStatus lost = ended(0, 1, Beat.State.LOST, 40);
        assertThat(cause(41, lost, running(1, Beat.State.TRAINING, 35, 35)))
                .hasValueSatisfying(sentence -> assertThat(sentence).startsWith("rank 1 is stuck: no sign of life"));
        assertThat(cause(41, lost, running(1, Beat.State.TRAINING, 35, 1))).isEmpty();
        assertThat(cause(44, lost, running(1, Beat.State.TRAINING, 38, 1)))
                .hasValue(
                        "rank 1 did not come to where the others wait; it was last at step 12 of 80, computing for 38 s");
        assertThat(cause(41, lost, ended(1, 137, Beat.State.TRAINING, 40.5)))
                .hasValue("rank 1 was killed by signal 9 at step 12 of 80");
    }

    @Test
    void ifAllAreLostTheFirstSaysWhy() {
        assertThat(cause(41, ended(0, 1, Beat.State.LOST, 40), ended(1, 1, Beat.State.LOST, 39)))
                .hasValue("rank 1 ended with exit code 1 at step 12 of 80, where it gave up: the all-reduce");
    }

    @Test
    void whoeverIsWaitedForTooLongIsNamed() {
        assertThat(cause(
                        99,
                        running(0, Beat.State.WAITING, 31, 1),
                        running(1, Beat.State.TRAINING, 33, 1),
                        running(2, Beat.State.WAITING, 31, 1)))
                .hasValue(
                        "rank 1 did not come to where the others wait; it was last at step 12 of 80, computing for 33 s");
    }

    @Test
    void aBeatIsFoundInALineAndTakenOutOfTheLog() {
        Beat beat = new Beat(Beat.State.WAITING, "the \"all-reduce\"\n", 3, 7, 1.5);
        String line = "half a log line" + beat.toLine();
        assertThat(beat.toLine()).doesNotContain("\n");
        assertThat(Beat.inLine(line)).hasValue(beat);
        assertThat(Beat.logIn(line)).isEqualTo("half a log line");
        assertThat(Beat.inLine("a log line")).isEmpty();
        assertThat(Beat.inLine("\u001e{broken")).isPresent();
    }
}
