package io.llava4j.eval;

import java.nio.file.Path;

/** Scores an answer file against the official files of a benchmark. */
@FunctionalInterface
public interface Scorer {
    /**
     * Scores answers.
     *
     * @param folder the benchmark's files, in LLaVA's layout
     * @param answers LLaVA's {@code answers.jsonl}
     * @throws io.llava4j.DataException naming the file that is missing, broken or does not fit
     */
    Score score(Path folder, Path answers);
}
