package io.llava4j.tensor.collective;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.jspecify.annotations.Nullable;

/**
 * The key-value store that rank 0 serves on the master port. The engine would wait without end for the answer of a rank 0
 * that is stopped or cut off; here every question has a deadline.
 */
final class SharedStore implements AutoCloseable {
    private final Rank rank;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("store").factory());
    private @Nullable Store store;
    private volatile Duration patience;
    private volatile boolean silent;

    private SharedStore(Rank rank) {
        this.rank = rank;
        this.patience = rank.timeout().plus(Rendezvous.reportTime(rank));
    }

    /**
     * Serves the store on rank 0; finds it on the others.
     *
     * @throws LlavaException if the port cannot be listened on
     * @throws PeerLostException if there is no rank 0 within the timeout
     */
    static SharedStore open(Rank rank) {
        SharedStore shared = new SharedStore(rank);
        try {
            // The engine's own deadline is the timeout, but it does not watch all of its waits.
            shared.store = shared.ask(() -> new TCPStore(
                            rank.masterAddress(),
                            new TCPStoreOptions()
                                    .port((short) rank.masterPort())
                                    .isServer(rank.isFirst())
                                    .waitWorkers(false)
                                    .timeout(millis(rank.timeout())))
                    .retainReference());
            return shared;
        } catch (RuntimeException e) {
            shared.thread.shutdown();
            throw rank.isFirst()
                    ? new LlavaException(
                            "rank 0 cannot listen on port %d; another program may use it, so set MASTER_PORT to a free one"
                                    .formatted(rank.masterPort()),
                            e)
                    : new PeerLostException(
                            "rank %d found no rank 0 at %s within %d s; look at the log of rank 0, and check MASTER_ADDR and MASTER_PORT"
                                    .formatted(
                                            rank.rank(),
                                            where(rank),
                                            rank.timeout().toSeconds()),
                            e);
        }
    }

    private static String where(Rank rank) {
        return rank.masterAddress() + ":" + rank.masterPort();
    }

    /**
     * A connection of its own for a backend, which counts references to the store that it keeps. The bindings construct a
     * store without a count: Java frees it, and a backend that had it too would free it again or use it afterwards. Only a
     * clone is counted, so what is constructed here stays with Java and backends get clones.
     *
     * @param prefix of the backend's keys
     * @return released by the caller when the backend has it
     */
    Store forBackend(String prefix) {
        return ask(() -> new PrefixStore(prefix, engine().clone()).clone().retainReference());
    }

    private Store engine() {
        if (store == null) {
            throw new IllegalStateException("the store is closed");
        }
        return store;
    }

    void set(String key, String value) {
        ask(() -> {
            engine().set(key, value);
            return true;
        });
    }

    /** The value of a key; waits for it up to the timeout. */
    String get(String key) {
        return ask(() -> engine().get_to_str(key));
    }

    boolean isSet(String key) {
        return ask(() -> engine().check(new StringVector(key)));
    }

    /** Sets a key that has no value yet; its value. */
    String setIfAbsent(String key, String value) {
        return ask(() -> engine().compareSet(key, "", value));
    }

    /** Counts up; the new count. */
    long add(String key, long amount) {
        return ask(() -> engine().add(key, amount));
    }

    /** From now on questions wait for the time of a report only: an exchange has failed, so rank 0 may be gone. */
    void hurry() {
        patience = Rendezvous.reportTime(rank);
    }

    private <T> T ask(Supplier<T> question) {
        if (!silent) {
            try {
                return thread.submit(() -> Engine.scope("the store of rank 0", question))
                        .get(patience.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException known ? known : new LlavaException(e.toString(), e);
            } catch (TimeoutException e) {
                silent = true; // its thread waits for ever, and so would every further question
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LlavaException("waiting for the other processes was interrupted", e);
            }
        }
        throw new PeerLostException(
                "rank 0 at %s does not answer: it is stopped, or the network to it is cut; look at its log, then resume from the newest checkpoint"
                        .formatted(where(rank)),
                null);
    }

    static Milliseconds millis(Duration time) {
        return new Milliseconds(time.toMillis());
    }

    @Override
    public void close() {
        Store open = store;
        store = null;
        if (open != null && !silent) {
            open.releaseReference();
        }
        thread.shutdown();
    }
}
