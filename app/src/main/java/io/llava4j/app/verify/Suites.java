package io.llava4j.app.verify;

import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.reference.Reference;
import java.util.List;
import java.util.stream.Stream;

/** The kinds of reference data that {@code llava verify} knows. */
public final class Suites {
    private Suites() {}

    /** Every suite, in the order in which they are tried. */
    public static List<Suite> all() {
        return Stream.<Suite>concat(
                        Stream.of(
                                new PreprocessSuite(),
                                new GeometrySuite(),
                                new MiscSuite(),
                                new TokenizerSuite(),
                                new TinyLlavaSuite(),
                                new TrainingSuite()),
                        Benchmarks.all().stream()
                                .filter(benchmark -> Reference.of(benchmark).isPresent())
                                .map(BenchmarkSuite::new))
                .toList();
    }
}
