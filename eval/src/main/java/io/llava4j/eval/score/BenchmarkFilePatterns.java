package io.llava4j.eval.score;

import java.util.List;
import java.util.Map;

/**
 * What the files of a benchmark are called, which differs by split and year.
 *
 * @param byRole shell patterns relative to the benchmark's folder, the preferred one first
 * @param identifyingRoles roles whose files distinguish a folder of this benchmark from other folders
 * @param folders other names of the benchmark's folder (LLaVA's), beside the benchmark's name
 */
public record BenchmarkFilePatterns(
        Map<FileRole, List<String>> byRole, List<FileRole> identifyingRoles, List<String> folders) {
    /** A benchmark whose folder has its name. */
    public BenchmarkFilePatterns(Map<FileRole, List<String>> byRole, List<FileRole> identifyingRoles) {
        this(byRole, identifyingRoles, List.of());
    }
}
