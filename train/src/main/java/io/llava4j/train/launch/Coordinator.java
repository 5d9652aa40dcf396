package io.llava4j.train.launch;

import io.llava4j.LlavaException;
import io.llava4j.tensor.collective.ReservedPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Launcher 0: starts all ranks of all nodes, watches them, restarts them all when one fails. */
final class Coordinator {
    private static final int STOPPED = 130;
    private static final long TICK_MILLIS = 50;
    /** How long ranks may take to end after another one failed, if the timeout is not less: they cannot go on alone. */
    private static final long GRACE_SECONDS = 10;

    private final LaunchPlan plan;
    private final LocalNode local;
    private final Rendezvous rendezvous;
    private final Consumer<String> log;
    private List<Node> nodes = List.of();
    private boolean stopSaid;

    Coordinator(LaunchPlan plan, LocalNode local, Rendezvous rendezvous, Consumer<String> log) {
        this.plan = plan;
        this.local = local;
        this.rendezvous = rendezvous;
        this.log = log;
    }

    /**
     * Runs to the end.
     */
    Launcher.Ended run() throws InterruptedException {
        boolean begun = false;
        for (int number = 0; ; number++) {
            if (!gather()) {
                return new Launcher.Ended(finish(STOPPED, "stopped"), false);
            }
            Optional<Failure> failure;
            // Reserved until the attempt has ended, so that nobody gets the port before rank 0 listens on it.
            try (ReservedPort port = new ReservedPort()) {
                Attempt attempt = new Attempt(number, rendezvous.master(port), begun);
                failure = run(attempt);
                if (failure.isPresent()) {
                    begun |=
                            ranks(attempt).stream().anyMatch(rank -> rank.beat().steps() > 0);
                    end(attempt);
                }
            }
            if (failure.isEmpty()) {
                int code = stopSaid ? finish(STOPPED, "stopped") : finish(0, "");
                return new Launcher.Ended(code, false);
            }
            Failure why = failure.get();
            if (stopSaid || number == plan.restarts() || !why.canRestart()) {
                String after = number == 0 ? "" : " (after %d restarts)".formatted(number);
                why.lines().forEach(line -> log.accept("  | " + line));
                return new Launcher.Ended(finish(why.code(), why.sentence() + after), !stopSaid && why.canRestart());
            }
            log.accept("%s; restart %d of %d %s"
                    .formatted(
                            why.sentence(),
                            number + 1,
                            plan.restarts(),
                            begun ? "from the newest checkpoint" : "with the same command, as no step was begun"));
        }
    }

    /** Waits for all nodes; false if stopped. */
    private boolean gather() throws InterruptedException {
        long deadline = System.nanoTime() + plan.timeout().toNanos();
        while (!rendezvous.isComplete()) {
            if (local.stopRequested()) {
                return false;
            }
            if (System.nanoTime() > deadline) {
                String why = rendezvous.missing();
                finish(1, why);
                throw new LlavaException(why);
            }
            Thread.sleep(TICK_MILLIS);
        }
        nodes = new ArrayList<>(rendezvous.present());
        nodes.addFirst(local);
        return true;
    }

    /** Runs all ranks until they have ended, or one of them fails; empty if they ended well or were stopped. */
    private Optional<Failure> run(Attempt attempt) throws InterruptedException {
        long start = System.nanoTime();
        for (Node node : nodes) {
            node.start(attempt);
        }
        long stopDeadline = Long.MAX_VALUE;
        while (true) {
            if (!stopSaid && nodes.stream().anyMatch(Node::stopRequested)) {
                stopSaid = true;
                stopDeadline = System.nanoTime() + plan.timeout().toNanos();
                log.accept("stopping all ranks");
                nodes.forEach(node -> node.stop(false));
            }
            List<RankStatus> ranks = ranks(attempt);
            if (ranks.size() == plan.worldSize() && ranks.stream().noneMatch(RankStatus::isRunning)) {
                if (stopSaid || ranks.stream().noneMatch(RankStatus::failed)) {
                    return Optional.empty();
                }
            }
            Optional<Failure> failure = failure(ranks, (System.nanoTime() - start) / 1e9);
            if (failure.isPresent() && !stopSaid) {
                return failure;
            }
            if (stopSaid && System.nanoTime() > stopDeadline) {
                return failure.isPresent()
                        ? failure
                        : Optional.of(
                                new Failure(STOPPED, "some ranks did not stop within the timeout", List.of(), false));
            }
            Thread.sleep(TICK_MILLIS);
        }
    }

    private Optional<Failure> failure(List<RankStatus> ranks, double now) {
        Optional<Failure> ofNode =
                nodes.stream().flatMap(node -> node.gone().stream()).findFirst().map(Failure::ofNode);
        return ofNode.isPresent() ? ofNode : Failure.in(ranks, now, plan.timeout());
    }

    private List<RankStatus> ranks(Attempt attempt) {
        return nodes.stream()
                .flatMap(node -> node.ranks(attempt.number()).stream())
                .toList();
    }

    /** Ends what is left of an attempt: asks, then ends at once. */
    private void end(Attempt attempt) throws InterruptedException {
        nodes.forEach(node -> node.stop(false));
        boolean killed = false;
        long grace = System.nanoTime()
                + Math.min(GRACE_SECONDS * 1_000_000_000L, plan.timeout().toNanos());
        long deadline = grace + plan.timeout().toNanos();
        while (System.nanoTime() < deadline
                && nodes.stream()
                        .filter(node -> node.gone().isEmpty())
                        .flatMap(node -> node.ranks(attempt.number()).stream())
                        .anyMatch(RankStatus::isRunning)) {
            if (!killed && System.nanoTime() > grace) {
                killed = true;
                nodes.forEach(node -> node.stop(true));
            }
            Thread.sleep(TICK_MILLIS);
        }
    }

    private int finish(int code, String sentence) {
        rendezvous.present().forEach(node -> node.finish(code, sentence));
        local.finish(code, sentence);
        if (!sentence.isEmpty()) {
            log.accept(sentence);
        }
        return code;
    }
}
