package io.llava4j.app.launch;

import io.llava4j.train.launch.Worker;
import java.io.PrintWriter;

/**
 * Log lines of every rank with its number, on stderr; results of rank 0 alone, on stdout.
 *
 * @param out receives results
 * @param err receives log lines
 */
public record RankOutput(PrintWriter out, PrintWriter err) implements Worker.Output {
    @Override
    public void log(int rank, String line) {
        synchronized (err) {
            err.println("[rank " + rank + "] " + line);
            err.flush();
        }
    }

    /** A sentence of the launcher itself. */
    public void note(String sentence) {
        synchronized (err) {
            err.println("llava: " + sentence);
            err.flush();
        }
    }

    @Override
    public void result(int rank, String line) {
        if (rank > 0) {
            log(rank, line);
            return;
        }
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }
}
