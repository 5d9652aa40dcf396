package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.io.Progress;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Applies a function to many elements on several threads. */
final class Workers {
    private static final int MAX_PENDING = 256;

    private Workers() {}

    /**
     * Applies it and waits for all of them.
     *
     * @throws DataException if interrupted
     */
    static <T> void each(Collection<T> elements, int threads, Consumer<T> work, Progress progress) {
        // Platform threads: decoding is computing, not waiting.
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            ArrayDeque<Future<?>> running = new ArrayDeque<>();
            int done = 0;
            try {
                for (T element : elements) {
                    running.add(workers.submit(() -> work.accept(element)));
                    if (running.size() > MAX_PENDING) {
                        running.removeFirst().get();
                        progress.update(++done, elements.size());
                    }
                }
                while (!running.isEmpty()) {
                    running.removeFirst().get();
                    progress.update(++done, elements.size());
                }
            } catch (InterruptedException e) {
                workers.shutdownNow();
                Thread.currentThread().interrupt();
                throw new DataException("checking the data was interrupted; run it again", e);
            } catch (ExecutionException e) {
                workers.shutdownNow();
                throw new IllegalStateException(e.getCause());
            }
        }
    }
}
