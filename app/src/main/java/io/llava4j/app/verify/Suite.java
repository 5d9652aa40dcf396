package io.llava4j.app.verify;

import java.nio.file.Path;
import java.util.function.Consumer;

/** Compares one kind of reference folder with what llava4j computes. */
public interface Suite {
    /** Name of the kind, for example {@code preprocess}. */
    String name();

    /** Whether {@code dir} is a folder of this kind; decided by its content, not by its name. */
    boolean accepts(Path dir);

    /** Whether the subfolders of such a folder are part of it; otherwise other suites look at them. */
    default boolean ownsSubfolders() {
        return true;
    }

    /**
     * Runs every case of the folder. A case that throws is reported as failed by the caller, so suites report results
     * as they come.
     *
     * @param dir a folder {@link #accepts} said yes to
     * @param out receives a result per case
     */
    void run(Path dir, Consumer<CaseResult> out);
}
