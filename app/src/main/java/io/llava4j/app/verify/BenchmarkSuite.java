package io.llava4j.app.verify;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.reference.Checks;
import io.llava4j.eval.reference.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Compares our scorer with the official code on a folder of recorded data: every score, every question and every file
 * that the official code wrote.
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
        return Reference.of(benchmark).isPresent()
                && Files.isRegularFile(dir.resolve(EXPECTED))
                && benchmark.files(dir).recognised();
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        Checks checks = new Checks(
                (name, difference) -> out.accept(CaseResult.exact(name(), name, difference.isEmpty(), difference)));
        Reference.of(benchmark)
                .orElseThrow()
                .compare(benchmark.files(dir), dir, JsonFiles.tree(dir.resolve(EXPECTED)), checks);
    }
}
