package io.llava4j.nano.pretrain;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Prepares the next batch on another thread while the current one is in use. A batch depends on its index only, never on
 * timing.
 *
 * @param <T> what is prepared
 */
final class Prefetcher<T> implements AutoCloseable {
    private final IntFunction<T> prepare;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("prefetcher").factory());
    private int nextIndex = -1;
    private @Nullable CompletableFuture<T> next;

    Prefetcher(IntFunction<T> prepare) {
        this.prepare = prepare;
    }

    /** The batch of that index; starts to prepare the next one. */
    T get(int index) {
        CompletableFuture<T> wanted = next;
        if (wanted == null || nextIndex != index) {
            wanted = CompletableFuture.supplyAsync(() -> prepare.apply(index), worker);
        }
        nextIndex = index + 1;
        next = CompletableFuture.supplyAsync(() -> prepare.apply(index + 1), worker);
        try {
            return wanted.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }
}
