package io.llava4j.train.launch;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.tensor.collective.PeerLostException;
import io.llava4j.tensor.collective.Waits;
import io.llava4j.train.run.TrainingListener;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The rank's side of a launch: says every second what it does, and ends the rank when the launcher is gone. Does nothing
 * in a process that no launcher started.
 */
public final class Heartbeat implements TrainingListener, AutoCloseable {
    /** Set by the launcher: stderr takes beats, and stdin ends when the launcher ends. */
    static final String VARIABLE = "LLAVA_LAUNCHED";

    private static final long INTERVAL_MILLIS = 1000;
    private static final int INTERRUPTED = 130;

    /**
     * A collective that this process waits in.
     *
     * @param where for messages, for example {@code the all-reduce of the gradients}
     * @param since {@link System#nanoTime} at which waiting began
     */
    record Waiting(String where, long since) {}

    private final PrintStream err;
    private final Supplier<Optional<Waiting>> waiting;
    private final boolean launched;
    private Beat.State state = Beat.State.STARTING;
    private String detail = "";
    private int step;
    private int steps;
    private long since = System.nanoTime();
    private boolean closed;
    private boolean launcherGone;
    private Runnable whenGone = Heartbeat::end;

    private Heartbeat(boolean launched, PrintStream err, Supplier<Optional<Waiting>> waiting) {
        this.launched = launched;
        this.err = err;
        this.waiting = waiting;
    }

    /** Whether a launcher started this process; it then passes signals itself. */
    public static boolean isLaunched(Map<String, String> env) {
        return "1".equals(env.get(VARIABLE));
    }

    /**
     * Begins to beat if a launcher started this process; to be called before it meets the other ranks, as one may not come.
     *
     * @param env the environment
     */
    public static Heartbeat start(Map<String, String> env) {
        return start(env, () -> Waits.current().map(wait -> new Waiting(wait.where(), wait.since())));
    }

    static Heartbeat start(Map<String, String> env, Supplier<Optional<Waiting>> waiting) {
        Heartbeat heartbeat = new Heartbeat(isLaunched(env), System.err, waiting);
        if (heartbeat.launched) {
            InputStream in = System.in;
            Thread.ofPlatform().daemon().name("heartbeat").start(heartbeat::beat);
            Thread.ofPlatform().daemon().name("launcher-watch").start(() -> heartbeat.watch(in));
        }
        return heartbeat;
    }

    private void beat() {
        try {
            while (say()) {
                Thread.sleep(INTERVAL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says what is; false when closed. */
    private synchronized boolean say() {
        if (closed) {
            return false;
        }
        boolean ended = state == Beat.State.LOST || state == Beat.State.REFUSED;
        Optional<Waiting> wait = ended ? Optional.empty() : waiting.get();
        long from = wait.map(Waiting::since).orElse(since);
        Beat beat = new Beat(
                wait.isPresent() ? Beat.State.WAITING : state,
                wait.map(Waiting::where).orElse(detail),
                step,
                steps,
                (System.nanoTime() - from) / 1e9);
        err.print(beat.toLine() + "\n"); // one write, so that no other line comes between
        err.flush();
        return true;
    }

    private void watch(InputStream in) {
        try {
            while (in.read() >= 0) {
                // The launcher writes nothing.
            }
        } catch (IOException e) {
            // As if it had ended: nobody is at the other end.
        }
        Runnable now;
        synchronized (this) {
            launcherGone = true;
            now = whenGone;
        }
        now.run();
    }

    /**
     * What to do when the launcher has ended, in place of ending this process at once, which is right only while there is
     * nothing to save.
     *
     * @param stop asks the run to stop
     */
    public synchronized void whenLauncherIsGone(Runnable stop) {
        whenGone = stop;
        if (launcherGone) {
            stop.run();
        }
    }

    private static void end() {
        Runtime.getRuntime().halt(INTERRUPTED);
    }

    @Override
    public synchronized void begin(int firstStep, int steps) {
        this.step = firstStep;
        this.steps = steps;
        to(Beat.State.TRAINING, "");
        if (launched) {
            say();
        }
    }

    @Override
    public synchronized void step(Step done) {
        step = done.step();
        steps = done.steps();
        since = System.nanoTime();
        if (launched) {
            say();
        }
    }

    /**
     * Runs what may fail in a way that concerns the launcher, which is said at once: that it gives up because of another rank, so
     * that the launcher does not take this rank for the cause, or because of its recipe, or of data or weights before the first
     * step, so that it is not started again.
     */
    public <T> T during(Supplier<T> work) {
        try {
            return work.get();
        } catch (PeerLostException e) {
            lost(String.valueOf(e.getMessage()));
            throw e;
        } catch (ConfigException e) {
            end(Beat.State.REFUSED, "");
            throw e;
        } catch (DataException | CheckpointException e) {
            if (isStarting()) {
                end(Beat.State.REFUSED, "");
            }
            throw e;
        }
    }

    private synchronized boolean isStarting() {
        return state == Beat.State.STARTING;
    }

    void lost(String why) {
        end(Beat.State.LOST, why);
    }

    private synchronized void end(Beat.State last, String why) {
        to(last, why);
        if (launched) {
            say();
        }
    }

    private void to(Beat.State next, String why) {
        state = next;
        detail = why;
        since = System.nanoTime();
    }

    /** Ends the beats. */
    @Override
    public synchronized void close() {
        closed = true;
    }
}
