package io.llava4j.app.verify;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.score.Checks;
import io.llava4j.eval.score.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A folder of a benchmark's files with what the official code gave for them: every score, every question, every file it
 * wrote.
 *
 * @param benchmark which one
 */
public record BenchmarkSuite(Benchmark benchmark) implements Suite {
    private static final String EXPECTED = "expected.json";

    @Override
    public String name() {
        return benchmark.name();
    }

    @Override
    public boolean accepts(Path dir) {
        return benchmark.reference() != null
                && Files.isRegularFile(dir.resolve(EXPECTED))
                && benchmark.files(dir).recognised();
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        Reference reference = benchmark.reference();
        if (reference != null) {
            Checks checks = new Checks(
                    (name, difference) -> out.accept(CaseResult.exact(name(), name, difference.isEmpty(), difference)));
            reference.compare(benchmark.files(dir), dir, JsonFiles.tree(dir.resolve(EXPECTED)), checks);
        }
    }
}
