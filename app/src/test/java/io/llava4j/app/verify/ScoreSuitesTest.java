package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreSuitesTest {
    private static final Path GOLDENS = Path.of("../../shared/evalgold");

    @TempDir
    Path copy;

    @BeforeEach
    void goldensAreHere() {
        Assumptions.assumeTrue(
                Files.isDirectory(GOLDENS), () -> "reference data " + GOLDENS.toAbsolutePath() + " is not here");
    }

    @Test
    void everyCaseOfAllTwelveBenchmarksIsOk() {
        List<CaseResult> results = new ArrayList<>();
        new VerifyRunner(Suites.all()).run(GOLDENS, results::add);
        assertThat(results)
                .hasSizeGreaterThan(140)
                .allSatisfy(c -> assertThat(c.status()).as(c.toString()).isEqualTo(CaseResult.Status.OK));
        assertThat(results.stream().map(CaseResult::suite).distinct())
                .containsExactlyInAnyOrderElementsOf(
                        Benchmarks.published().stream().map(Benchmark::name).toList());
    }

    @Test
    void aChangedNumberFails() throws Exception {
        copy(GOLDENS.resolve("pope"), "0.8333333333333334", "0.8333333333333333");
        List<CaseResult> results = new ArrayList<>();
        new BenchmarkSuite(Benchmarks.POPE).run(copy, results::add);
        assertThat(results)
                .filteredOn(c -> c.status() == CaseResult.Status.FAIL)
                .extracting(CaseResult::name)
                .containsExactly("answers/categories (33)");
    }

    private void copy(Path from, String old, String replacement) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            files.filter(Files::isRegularFile).forEach(file -> {
                try {
                    Path target = copy.resolve(from.relativize(file).toString());
                    Files.createDirectories(target.resolveSibling(""));
                    Files.writeString(target, Files.readString(file).replace(old, replacement));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
