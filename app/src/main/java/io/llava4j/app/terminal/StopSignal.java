package io.llava4j.app.terminal;

import io.llava4j.train.launch.Heartbeat;
import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jline.utils.Signals;

/**
 * A request to stop at the next safe point, made by Ctrl-C or SIGTERM. The second Ctrl-C ends the process at once with
 * exit code 130. A rank that {@code llava launch} started leaves
 * Ctrl-C, which the terminal sends to all processes, to its launcher, which sends SIGTERM. Without an open StopSignal the JVM's own handling applies: the first Ctrl-C ends the process.
 */
public final class StopSignal implements BooleanSupplier, AutoCloseable {
    private static final int INTERRUPTED = 130;

    private final AtomicBoolean requested = new AtomicBoolean();
    private final Object interrupt;
    private final Object terminate;

    /**
     * Listens until {@link #close}.
     *
     * @param err receives a line that confirms the request
     * @param where the safe point, for example {@code the checkpoint of this step}
     */
    public StopSignal(PrintWriter err, String where) {
        boolean launched = Heartbeat.isLaunched(System.getenv());
        Runnable handler = () -> {
            if (requested.getAndSet(true)) {
                Runtime.getRuntime().halt(INTERRUPTED);
            }
            err.printf(launched ? "stopping at %s%n" : "%nllava: stopping at %s; Ctrl-C again stops at once%n", where);
            err.flush();
        };
        interrupt = Signals.register("INT", launched ? () -> {} : handler);
        terminate = Signals.register("TERM", handler);
    }

    /** Asks to stop, as a signal does. */
    public void request() {
        requested.set(true);
    }

    /** Whether stopping was asked for. */
    @Override
    public boolean getAsBoolean() {
        return requested.get();
    }

    @Override
    public void close() {
        Signals.unregister("INT", interrupt);
        Signals.unregister("TERM", terminate);
    }
}
