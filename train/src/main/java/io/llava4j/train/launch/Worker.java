package io.llava4j.train.launch;

import io.llava4j.LlavaException;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One process of a run: its log, its last lines and its last beat. Safe to use from several threads. */
public final class Worker {
    private static final int LAST_LINES = 20;
    /** Output that a dead process left in its pipes is there at once; a child of its own may hold them open. */
    private static final long DRAIN_SECONDS = 10;

    /** What the engine's transport says of itself, on stdout. */
    private static final String OF_TRANSPORT = "[Gloo] ";

    /** Takes what a process prints. */
    public interface Output {
        /** A line of its log. */
        void log(int rank, String line);

        /** A line of its result. */
        void result(int rank, String line);
    }

    private final int rank;
    private final Output output;
    private final Process process;
    private final Thread out;
    private final Thread err;
    private final Deque<String> last = new ArrayDeque<>();
    private final long start = System.nanoTime();
    private Beat beat = Beat.NONE;
    private long beatAt = start;
    private volatile long end;

    private Worker(int rank, Process process, Output output) {
        this.rank = rank;
        this.output = output;
        this.process = process;
        this.out = pump("rank-" + rank + "-out", process.inputReader(), this::result);
        this.err = pump("rank-" + rank + "-err", process.errorReader(), this::errorLine);
        Thread.ofPlatform().daemon().name("rank-" + rank + "-end").start(this::awaitEnd);
    }

    /**
     * Starts a process.
     *
     * @param rank its rank
     * @param command program and arguments
     * @param environment set beside that of this process
     * @param output receives its lines
     * @throws LlavaException if the program cannot be started
     */
    public static Worker start(int rank, List<String> command, Map<String, String> environment, Output output) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        builder.environment().put(Heartbeat.VARIABLE, "1");
        try {
            // Its stdin stays open until this process ends, by which it sees that.
            return new Worker(rank, builder.start(), output);
        } catch (IOException e) {
            throw new LlavaException(
                    "rank %d cannot be started: %s; check that %s can be run"
                            .formatted(rank, e.getMessage(), command.getFirst()),
                    e);
        }
    }

    private static Thread pump(String name, BufferedReader reader, java.util.function.Consumer<String> lines) {
        return Thread.ofPlatform().daemon().name(name).start(() -> {
            try (reader) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.accept(line);
                }
            } catch (IOException e) {
                // The process was killed: there is no more to read.
            }
        });
    }

    private void awaitEnd() {
        try {
            process.waitFor();
            long drained = TimeUnit.SECONDS.toMillis(DRAIN_SECONDS);
            out.join(drained);
            err.join(drained);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        end = System.nanoTime();
    }

    private void result(String line) {
        keep(line);
        if (line.startsWith(OF_TRANSPORT)) {
            output.log(rank, line);
        } else {
            output.result(rank, line);
        }
    }

    private void errorLine(String line) {
        Beat.inLine(line).ifPresent(this::hear);
        String log = Beat.logIn(line);
        if (!log.isEmpty() || log.length() == line.length()) {
            keep(log);
            output.log(rank, log);
        }
    }

    private synchronized void hear(Beat said) {
        beat = said;
        beatAt = System.nanoTime();
    }

    private synchronized void keep(String line) {
        last.addLast(line);
        if (last.size() > LAST_LINES) {
            last.removeFirst();
        }
    }

    /** How the process is; it has ended when its output is read to the end. */
    public synchronized RankStatus status() {
        boolean ended = end != 0;
        return new RankStatus(
                rank,
                ended ? process.exitValue() : RankStatus.RUNNING,
                beat,
                (System.nanoTime() - beatAt) / 1e9,
                ended ? (end - start) / 1e9 : 0,
                List.copyOf(last));
    }

    /** Asks it to stop at the end of its step, with a checkpoint. */
    public void stop() {
        process.toHandle().destroy(); // unlike process.destroy(), leaves its output open
    }

    /** Ends it at once. */
    public void kill() {
        process.toHandle().destroyForcibly();
    }
}
