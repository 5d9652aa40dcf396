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
 * Iterates over the elements that a producer passes to a callback. The producer runs in a thread of its own and is at
 * most a few batches ahead, so that a source need not fit into memory.
 */
final class BackgroundIterator<T> implements Iterator<T>, AutoCloseable {
    private static final int BATCH = 256;
    private static final int BATCHES_AHEAD = 4;

    private final BlockingQueue<Batch<T>> queue = new ArrayBlockingQueue<>(BATCHES_AHEAD);
    private final Thread thread;
    private volatile @Nullable Throwable failure;
    private Iterator<T> batch = List.<T>of().iterator();
    private boolean ended;

    /** Some elements, and whether they are the last ones. */
    private record Batch<T>(List<T> elements, boolean last) {}

    /** Thrown in the producer after the iterator was closed. */
    private static final class Closed extends RuntimeException {
        Closed() {
            super("closed", null, false, false);
        }
    }

    /** @param producer passes every element to the callback it is given, and returns */
    BackgroundIterator(Consumer<Consumer<T>> producer) {
        thread = Thread.ofPlatform().daemon().name("producer").start(() -> run(producer));
    }

    private void run(Consumer<Consumer<T>> producer) {
        List<T> pending = new ArrayList<>(BATCH);
        try {
            producer.accept(element -> {
                pending.add(element);
                if (pending.size() == BATCH) {
                    put(new Batch<>(List.copyOf(pending), false));
                    pending.clear();
                }
            });
            put(new Batch<>(pending, true));
        } catch (Closed e) {
            return; // nobody takes more elements
        } catch (RuntimeException | Error e) {
            failure = e;
            put(new Batch<>(List.of(), true));
        }
    }

    private void put(Batch<T> elements) {
        try {
            queue.put(elements);
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

    /** Ends the producer. */
    @Override
    public void close() {
        thread.interrupt();
    }
}
