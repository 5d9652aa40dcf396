package io.llava4j.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What one side pushes, for another side that pulls. The pushing side runs in a thread of its own and is never more than
 * a few batches ahead, so that no source has to fit into memory.
 */
final class Pushed<T> implements Iterator<T>, AutoCloseable {
    private static final int BATCH = 256;
    private static final int BATCHES_AHEAD = 4;

    private final BlockingQueue<Batch<T>> queue = new ArrayBlockingQueue<>(BATCHES_AHEAD);
    private final Thread thread;
    private volatile @Nullable Throwable failure;
    private Iterator<T> batch = List.<T>of().iterator();
    private boolean ended;

    /** Some elements, the last ones or not. */
    private record Batch<T>(List<T> elements, boolean last) {}

    /** Thrown into the pushing side when nobody pulls any more. */
    private static final class Closed extends RuntimeException {
        Closed() {
            super("closed", null, false, false);
        }
    }

    /** @param source pushes everything to what it is given, and returns */
    Pushed(Consumer<Consumer<T>> source) {
        thread = Thread.ofPlatform().daemon().name("pushed").start(() -> run(source));
    }

    private void run(Consumer<Consumer<T>> source) {
        List<T> pending = new ArrayList<>(BATCH);
        try {
            source.accept(element -> {
                pending.add(element);
                if (pending.size() == BATCH) {
                    put(new Batch<>(List.copyOf(pending), false));
                    pending.clear();
                }
            });
            put(new Batch<>(pending, true));
        } catch (Closed e) {
            return; // nobody waits for more
        } catch (RuntimeException | Error e) {
            failure = e;
            put(new Batch<>(List.of(), true));
        }
    }

    private void put(Batch<T> some) {
        try {
            queue.put(some);
        } catch (InterruptedException e) {
            throw new Closed();
        }
    }

    @Override
    public boolean hasNext() {
        while (!ended && !batch.hasNext()) {
            Batch<T> next;
            try {
                next = queue.take();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            ended = next.last();
            batch = next.elements().iterator();
        }
        if (batch.hasNext()) {
            return true;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
        return false;
    }

    @Override
    public T next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return batch.next();
    }

    /** Ends the pushing side. */
    @Override
    public void close() {
        thread.interrupt();
    }
}
