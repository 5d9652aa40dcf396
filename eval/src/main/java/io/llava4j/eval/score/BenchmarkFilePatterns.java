package io.llava4j.eval.score;

import java.util.List;
import java.util.Map;

/**
 * The files of a benchmark and what they are called, which differs by split and year.
 *
 * @param patterns by role: names as in a shell, relative to the benchmark's folder, the preferred first
 * @param mark roles whose files tell a folder of this benchmark from others
 * @param folders what the benchmark's folder is also called, beside the benchmark's name: LLaVA's names
 */
public record BenchmarkFilePatterns(Map<FileRole, List<String>> patterns, List<FileRole> mark, List<String> folders) {
    /** A benchmark whose folder has its name. */
    public BenchmarkFilePatterns(Map<FileRole, List<String>> patterns, List<FileRole> mark) {
        this(patterns, mark, List.of());
    }
}
