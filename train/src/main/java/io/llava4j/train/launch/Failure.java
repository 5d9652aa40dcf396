package io.llava4j.train.launch;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Why an attempt failed.
 *
 * @param code exit code for the launcher
 * @param sentence names the rank, what happened to it and where it was
 * @param lines last lines of the rank
 * @param canRestart whether another attempt could go better
 */
public record Failure(int code, String sentence, List<String> lines, boolean canRestart) {
    private static final int SOFTWARE = 1;

    /** How long others are waited for after a rank failed without being killed, or because of another one. */
    private static final double WAIT_SECONDS = 0.5;

    private static final double WAIT_LOST_SECONDS = 3;

    /**
     * Looks at all ranks and finds the one that is the cause, not those that failed because of it.
     *
     * @param ranks of all nodes
     * @param now seconds since the attempt began
     * @param timeout how long a rank may be silent or be waited for
     * @return empty while nothing is wrong, or while it cannot be said yet
     */
    static Optional<Failure> in(List<RankStatus> ranks, double now, Duration timeout) {
        double limit = timeout.toMillis() / 1e3;
        List<RankStatus> own = ranks.stream()
                .filter(rank -> rank.failed() && !rank.isLost())
                .sorted(Comparator.comparing((RankStatus rank) -> !rank.wasKilled())
                        .thenComparingDouble(RankStatus::endedAfterSeconds))
                .toList();
        if (!own.isEmpty()) {
            RankStatus first = own.getFirst();
            boolean sure = first.wasKilled() || othersHadTime(ranks, first, now, WAIT_SECONDS);
            return sure ? Optional.of(ended(first, own.stream().noneMatch(RankStatus::isRefused))) : Optional.empty();
        }
        Optional<RankStatus> silent = ranks.stream()
                .filter(rank -> rank.isRunning() && rank.silentSeconds() > limit)
                .max(Comparator.comparingDouble(RankStatus::silentSeconds));
        if (silent.isPresent()) {
            return silent.map(Failure::stuck);
        }
        Optional<RankStatus> lost = ranks.stream()
                .filter(RankStatus::isLost)
                .min(Comparator.comparingDouble(RankStatus::endedAfterSeconds));
        if (lost.isPresent()) {
            return othersHadTime(ranks, lost.get(), now, WAIT_LOST_SECONDS)
                    ? Optional.of(late(ranks).orElseGet(() -> ended(lost.get(), true)))
                    : Optional.empty();
        }
        return ranks.stream().anyMatch(rank -> isWaiting(rank) && rank.beat().seconds() > limit)
                ? late(ranks)
                : Optional.empty();
    }

    private static boolean othersHadTime(List<RankStatus> ranks, RankStatus first, double now, double seconds) {
        return now - first.endedAfterSeconds() > seconds || ranks.stream().noneMatch(RankStatus::isRunning);
    }

    private static boolean isWaiting(RankStatus rank) {
        return rank.isRunning() && rank.beat().state() == Beat.State.WAITING;
    }

    private static Failure ended(RankStatus rank, boolean canRestart) {
        return new Failure(
                rank.code(),
                "rank %d %s %s"
                        .formatted(rank.rank(), rank.howEnded(), rank.beat().describe()),
                rank.lines(),
                canRestart);
    }

    private static Failure stuck(RankStatus rank) {
        return new Failure(
                SOFTWARE,
                "rank %d is stuck: no sign of life for %.0f s; it was last %s"
                        .formatted(
                                rank.rank(), rank.silentSeconds(), rank.beat().describe()),
                rank.lines(),
                true);
    }

    /** The ranks that others wait for: they run, but do not wait. */
    private static Optional<Failure> late(List<RankStatus> ranks) {
        List<RankStatus> late = ranks.stream()
                .filter(rank -> rank.isRunning() && !isWaiting(rank))
                .toList();
        return late.isEmpty()
                ? Optional.empty()
                : Optional.of(new Failure(
                        SOFTWARE,
                        late.stream()
                                .map(rank -> "rank %d did not come to where the others wait; it was last %s"
                                        .formatted(rank.rank(), rank.beat().describe()))
                                .collect(Collectors.joining("; ")),
                        late.getFirst().lines(),
                        true));
    }

    /** A node whose launcher ended or does not answer. */
    static Failure ofNode(String why) {
        return new Failure(SOFTWARE, why, List.of(), true);
    }
}
