package io.llava4j.eval.score;

import java.nio.file.Path;

/**
 * The file that is submitted to a benchmark's server or evaluator.
 *
 * @param fileName usual name
 * @param writer converts an answer file
 */
public record Submission(String fileName, Writer writer) {
    /** Writes a submission. */
    @FunctionalInterface
    public interface Writer {
        /** Writes {@code target} atomically. */
        void write(BenchmarkFiles files, Path answers, Path target);
    }
}
