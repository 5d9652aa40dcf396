package io.llava4j.eval.judge;

import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * What a judge is for in a benchmark.
 *
 * @param needed whether answers cannot be scored without one
 * @param asking puts the requests
 */
public record JudgeSpec(boolean needed, Asking asking) {
    /** Asks for everything that scoring needs to know. */
    @FunctionalInterface
    public interface Asking {
        /**
         * Puts requests in the order of the official code.
         *
         * @param files the benchmark's own
         * @param answers the model's
         * @param judge replies to a request; what it replied decides what is asked next
         */
        void ask(BenchmarkFiles files, Path answers, Function<JudgeRequest, String> judge);
    }
}
