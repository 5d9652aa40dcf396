package io.llava4j.nano.benchmark;

import java.io.IOException;
import java.util.Map;

/** Writes one benchmark's files about nano scenes. */
interface NanoBenchmark {
    /**
     * Writes files and draws images, both in a folder with the benchmark's name as {@code llava eval} knows it.
     *
     * @return questions by that name; images where questions are made later
     */
    Map<String, Integer> write(BenchmarkFolder folder) throws IOException;
}
