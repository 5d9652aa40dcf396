package io.llava4j.train.run;

import io.llava4j.tensor.collective.ProcessGroup;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Saves states while training goes on: a save waits for the one before, copies the state to the host's memory and returns; a
 * thread writes the copy. The files are those of a save that waits, to the last byte.
 */
final class BackgroundCheckpoints implements Checkpoints, AutoCloseable {
    private final TrainState.Store store;
    private final Executor executor;
    private @Nullable Saving saving;

    private record Saving(PendingState state, CompletableFuture<Void> writing) {}

    /** Checkpoints that a thread of their own writes. */
    BackgroundCheckpoints(TrainState.Store store) {
        this(store, task -> Thread.ofPlatform().name("checkpoint").start(task));
    }

    /** @param executor runs what writes */
    BackgroundCheckpoints(TrainState.Store store, Executor executor) {
        this.store = store;
        this.executor = executor;
    }

    @Override
    public RunProgress restoreLatest(TrainableParameters parameters, AdamW optimizer) {
        return store.restoreLatest(parameters, optimizer);
    }

    @Override
    public void save(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
        complete(true);
        PendingState state = store.begin(progress, parameters, optimizer);
        if (state != null) {
            saving = new Saving(state, CompletableFuture.runAsync(state::write, executor));
        }
    }

    @Override
    public void complete(boolean waits) {
        Saving current = saving;
        if (current == null) {
            return;
        }
        ProcessGroup group = current.state().group();
        // All processes complete a save at the same step.
        if (!waits && group.any(!current.writing().isDone())) {
            return;
        }
        saving = null;
        current.state().complete(current.writing());
        store.deleteOld(group);
    }

    @Override
    public void saveBeside(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
        complete(true);
        store.saveBeside(progress, parameters, optimizer);
    }

    @Override
    public void saveBest(int step, Objective objective) {
        store.saveBest(step, objective);
    }

    /** Waits for what is being written. A failure that nobody has seen yet belongs to a run that fails for another reason. */
    @Override
    public void close() {
        if (saving != null) {
            saving.writing().handle((done, failure) -> "").join();
        }
    }
}
