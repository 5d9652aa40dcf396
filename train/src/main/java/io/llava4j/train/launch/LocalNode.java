package io.llava4j.train.launch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** The ranks that this process starts. */
final class LocalNode implements Node {
    /** The command of a rank. */
    interface Command {
        /** @param resume whether it continues from the newest checkpoint */
        List<String> of(boolean resume);
    }

    private final LaunchPlan plan;
    private final Command command;
    private final Worker.Output output;
    private final BooleanSupplier stopRequested;
    private final List<Worker> workers = new ArrayList<>();
    private int attempt = -1;
    private boolean stopping;

    LocalNode(LaunchPlan plan, Command command, Worker.Output output, BooleanSupplier stopRequested) {
        this.plan = plan;
        this.command = command;
        this.output = output;
        this.stopRequested = stopRequested;
    }

    @Override
    public synchronized void start(Attempt next) {
        stop(true);
        workers.clear();
        attempt = next.number();
        stopping = false;
        for (int local = 0; local < plan.processes(); local++) {
            workers.add(Worker.start(
                    plan.firstRank() + local,
                    command.of(next.resume()),
                    plan.environment(local, next.master()),
                    output));
        }
    }

    @Override
    public synchronized void stop(boolean now) {
        if (now) {
            workers.forEach(Worker::kill);
        } else if (!stopping) {
            workers.forEach(Worker::stop); // once: a second signal would end them without a checkpoint
        }
        stopping = true;
    }

    @Override
    public synchronized List<RankStatus> ranks(int ofAttempt) {
        return ofAttempt == attempt ? workers.stream().map(Worker::status).toList() : List.of();
    }

    @Override
    public Optional<String> gone() {
        return Optional.empty();
    }

    @Override
    public boolean stopRequested() {
        return stopRequested.getAsBoolean();
    }

    @Override
    public void finish(int code, String sentence) {
        stop(true);
    }
}
