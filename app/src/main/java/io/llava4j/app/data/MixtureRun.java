package io.llava4j.app.data;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Builds a mixture and shows how far it is. */
public final class MixtureRun {
    private static final long MEGABYTE = 1_000_000;

    private MixtureRun() {}

    /**
     * {@link MixtureBuilder#build} with a progress line on stderr.
     *
     * @param recipe what to build
     * @param folder where to
     * @param format of the data file
     * @param threads sources that are read at the same time
     * @param stop true stops after the sources that are done
     * @return empty if it was stopped
     */
    public static Optional<MixtureBuilder.Result> build(
            MixtureRecipe recipe, Path folder, MixtureBuilder.Format format, int threads, BooleanSupplier stop) {
        try (ProgressLine progress = ProgressLine.onStderr(recipe.name(), "MB")) {
            return MixtureBuilder.build(
                    recipe,
                    folder,
                    new MixtureBuilder.Options(
                            format,
                            threads,
                            (done, total) -> progress.update(done / MEGABYTE, Math.max(1, total / MEGABYTE)),
                            stop));
        }
    }
}
