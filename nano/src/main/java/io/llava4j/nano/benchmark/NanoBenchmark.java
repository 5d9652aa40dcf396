package io.llava4j.nano.benchmark;

import java.io.IOException;
import java.util.Map;

/** A benchmark whose files can be written about nano scenes. */
interface NanoBenchmark {
    /**
     * Writes files and has images drawn, both below a folder of the benchmark's name as {@code llava eval} knows it.
     *
     * @return questions by that name; images where questions are made later
     */
    Map<String, Integer> write(BenchmarkFolder folder) throws IOException;
}
