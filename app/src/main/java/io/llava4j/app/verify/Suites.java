package io.llava4j.app.verify;

import java.util.List;

/** The kinds of reference data that {@code llava verify} knows. */
public final class Suites {
    private Suites() {}

    /** Every suite, in the order in which they are tried. */
    public static List<Suite> all() {
        return List.of(
                new PreprocessSuite(),
                new MiscSuite(),
                new TokenizerSuite(),
                new TinyLlavaSuite(),
                new TrainingSuite(),
                new Vqav2Suite(),
                new PopeSuite());
    }
}
