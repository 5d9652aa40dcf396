package io.llava4j.tensor.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that share the chunks of one task at a time. Waiting threads spin for a short time, because a
 * token is hundreds of products in a row, and sleep afterwards. Threads take the next chunk when they are ready, so that a
 * busy core does not hold up the others. Several callers take turns.
 */
public final class Workers implements AutoCloseable {
    private static final long SPIN_NANOS = 100_000;
    private static final long NAP_NANOS = 20_000;
    private static final int SPINS_PER_CLOCK = 32;

    /** Work on one chunk. */
    @FunctionalInterface
    public interface Task {
        /**
         * @param chunk from 0 to the count of chunks, exclusive
         * @param worker from 0 to {@link Workers#count()}, exclusive; no two threads have the same at a time
         */
        void run(int chunk, int worker);
    }

    private final Worker[] workers;
    private final ReentrantLock turn = new ReentrantLock(true);
    private volatile @Nullable Job current;
    private volatile boolean closed;

    private static final class Shared {
        static final Workers WORKERS = new Workers(Runtime.getRuntime().availableProcessors());
    }

    /** @param threads that work at the same time, with the caller as one of them; at least 1 */
    public Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: " + threads);
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /** The set of this process, with a thread per available processor; it stays open. */
    public static Workers shared() {
        return Shared.WORKERS;
    }

    /** Threads that work at the same time, with the caller. */
    public int count() {
        return workers.length + 1;
    }

    /**
     * Runs all chunks and returns when they are done; what they wrote is visible to the caller.
     *
     * @throws RuntimeException what a chunk threw first; chunks not begun by then are left out
     * @throws IllegalStateException if called from a chunk, or after {@link #close()}
     */
    public void run(int chunks, Task task) {
        if (turn.isHeldByCurrentThread() || Thread.currentThread() instanceof Worker) {
            throw new IllegalStateException("a chunk of work cannot hand out work");
        }
        turn.lock();
        try {
            if (closed) {
                throw new IllegalStateException("these workers are closed");
            }
            Job job = new Job(task, chunks);
            if (chunks > 1) {
                announce(job);
            }
            job.work(0);
            job.await();
            current = null;
            job.rethrow();
        } finally {
            turn.unlock();
        }
    }

    private void announce(Job job) {
        current = job;
        for (Worker worker : workers) {
            if (worker.asleep) {
                LockSupport.unpark(worker);
            }
        }
    }

    /** Ends the threads once the task in progress is done. */
    @Override
    public void close() {
        turn.lock();
        try {
            closed = true;
            for (Worker worker : workers) {
                LockSupport.unpark(worker);
            }
        } finally {
            turn.unlock();
        }
    }

    /** One task: threads that come late find no chunk left, so nobody waits for them. */
    private static final class Job {
        private final Task task;
        private final int chunks;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Job(Task task, int chunks) {
            this.task = task;
            this.chunks = chunks;
        }

        void work(int worker) {
            for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
                try {
                    task.run(chunk, worker);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                    done.addAndGet(Math.max(0, chunks - next.getAndSet(chunks)));
                }
                done.incrementAndGet();
            }
        }

        void await() {
            long begin = System.nanoTime();
            for (int spins = 1; done.get() < chunks; spins++) {
                if (spins % SPINS_PER_CLOCK == 0 && System.nanoTime() - begin > SPIN_NANOS) {
                    LockSupport.parkNanos(NAP_NANOS);
                } else {
                    Thread.onSpinWait();
                }
            }
        }

        void rethrow() {
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }

    private final class Worker extends Thread {
        private final int number;
        private volatile boolean asleep;

        Worker(int number) {
            super("llava-worker-" + number);
            this.number = number;
            setDaemon(true);
        }

        @Override
        public void run() {
            Job last = null;
            while (!closed) {
                Job job = next(last);
                if (job != null) {
                    job.work(number);
                    last = job;
                }
            }
        }

        /** The next job; null if the workers were closed. */
        private @Nullable Job next(@Nullable Job last) {
            long begin = System.nanoTime();
            for (int spins = 1; !closed; spins++) {
                Job job = current;
                if (job != null && job != last) {
                    return job;
                }
                if (spins % SPINS_PER_CLOCK == 0 && System.nanoTime() - begin > SPIN_NANOS) {
                    sleep(last);
                } else {
                    Thread.onSpinWait();
                }
            }
            return null;
        }

        /** Asleep is set before the last look, and a job before its caller looks at asleep: no wake-up is lost. */
        private void sleep(@Nullable Job last) {
            asleep = true;
            Job job = current;
            if (!closed && (job == null || job == last)) {
                LockSupport.park(Workers.this);
            }
            asleep = false;
        }
    }
}
