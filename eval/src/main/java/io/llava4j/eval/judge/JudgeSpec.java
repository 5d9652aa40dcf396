package io.llava4j.eval.judge;

import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * The judge of a benchmark.
 *
 * @param required whether answers cannot be scored without a judge
 * @param asking sends the requests
 */
public record JudgeSpec(boolean required, Asking asking) {
    /** Asks a judge for everything that scoring needs. */
    @FunctionalInterface
    public interface Asking {
        /**
         * Sends requests in the order of the official code.
         *
         * @param files the benchmark's files
         * @param answers the model's answer file
         * @param judge returns the reply to a request; the next request may depend on it
         */
        void ask(BenchmarkFiles files, Path answers, Function<JudgeRequest, String> judge);
    }
}
