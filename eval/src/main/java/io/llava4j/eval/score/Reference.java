package io.llava4j.eval.score;

import java.nio.file.Path;
import tools.jackson.databind.JsonNode;

/** Computes again what a benchmark's official code gave for the files of a reference folder. */
@FunctionalInterface
public interface Reference {
    /**
     * Compares everything the folder expects.
     *
     * @param files the folder
     * @param folder the same as a path
     * @param expected its {@code expected.json}
     * @param checks receives each comparison
     */
    void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks);
}
