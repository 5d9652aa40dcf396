package io.llava4j.eval.score;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The input of a scorer.
 *
 * @param files the benchmark's files
 * @param answers a file, or a folder where the benchmark keeps several
 * @param replies the judge's replies; null without a judge
 * @param strict whether the strict numbers are computed beside the official ones
 */
public record ScoreInput(
        BenchmarkFiles files, Path answers, @Nullable Path replies, boolean strict) {
    /** Answers alone, scored as the official code does. */
    public static ScoreInput official(BenchmarkFiles files, Path answers) {
        return new ScoreInput(files, answers, null, false);
    }
}
