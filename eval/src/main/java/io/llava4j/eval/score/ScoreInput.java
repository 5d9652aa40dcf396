package io.llava4j.eval.score;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is to be scored.
 *
 * @param files the benchmark's own
 * @param answers a file, or a folder where the benchmark keeps several
 * @param replies what a judge said; null if nobody was asked
 * @param strict whether the sane variant is computed beside the official one
 */
public record ScoreInput(
        BenchmarkFiles files, Path answers, @Nullable Path replies, boolean strict) {
    /** Answers alone, scored as the official code does. */
    public static ScoreInput official(BenchmarkFiles files, Path answers) {
        return new ScoreInput(files, answers, null, false);
    }
}
