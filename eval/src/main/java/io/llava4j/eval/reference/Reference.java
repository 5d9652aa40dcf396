package io.llava4j.eval.reference;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Recomputes what a benchmark's official code gave for a folder of recorded data, and compares the two. */
@FunctionalInterface
public interface Reference {
    /**
     * Compares every value in the folder's {@code expected.json}.
     *
     * @param files the benchmark's files in the folder
     * @param folder the folder of recorded data
     * @param expected its {@code expected.json}
     * @param checks receives each comparison
     */
    void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks);

    /** The comparison of a benchmark; empty where no official results are recorded. */
    static Optional<Reference> of(Benchmark benchmark) {
        return Optional.ofNullable(Map.<Benchmark, Reference>ofEntries(
                        Map.entry(Benchmarks.VQAV2, Vqav2Reference::compare),
                        Map.entry(Benchmarks.GQA, GqaReference::compare),
                        Map.entry(Benchmarks.VIZWIZ, VizWizReference::compare),
                        Map.entry(Benchmarks.SCIENCEQA, ScienceQaReference::compare),
                        Map.entry(Benchmarks.TEXTVQA, TextVqaReference::compare),
                        Map.entry(Benchmarks.POPE, PopeReference::compare),
                        Map.entry(Benchmarks.MME, MmeReference::compare),
                        Map.entry(Benchmarks.MMBENCH, MmBenchReference::compare),
                        Map.entry(Benchmarks.MMBENCH_CN, MmBenchReference::compare),
                        Map.entry(Benchmarks.SEED, SeedReference::compare),
                        Map.entry(Benchmarks.LLAVA_BENCH, LlavaBenchReference::compare),
                        Map.entry(Benchmarks.MM_VET, MmVetReference::compare),
                        Map.entry(Benchmarks.NLVR2, Nlvr2Reference::compare))
                .get(benchmark));
    }
}
