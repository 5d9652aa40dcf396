package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Builds a mixture in a {@link MixtureFolder} on one machine. Sources are read in parallel, one thread for each; the
 * same recipe and raw files give the same bytes for any number of threads. Finished sources are kept in {@code .build}
 * until all are done, so that a stopped build resumes with the others.
 */
public final class MixtureBuilder {
    private static final long MEGABYTE = 1_000_000;

    private final MixtureRecipe recipe;
    private final MixtureFolder folder;
    private final Path work;
    private final Options options;

    /** Formats of the data file. */
    public enum Format {
        /** One array. */
        JSON,
        /** One record in each line. */
        JSONL;

        String ending() {
            return this == JSON ? ".json" : ".jsonl";
        }
    }

    /**
     * How to build; only the format changes what is built.
     *
     * @param format of the data file
     * @param threads number of sources that are read in parallel
     * @param progress called by the calling thread with the bytes of raw files read so far
     * @param stop polled while reading and writing; true stops the build
     */
    public record Options(Format format, int threads, Progress progress, BooleanSupplier stop) {}

    /**
     * A mixture on disk.
     *
     * @param manifest describes it
     * @param reused whether it existed and was kept
     */
    public record Result(Manifest manifest, boolean reused) {}

    private MixtureBuilder(MixtureRecipe recipe, Path folder, Options options) {
        this.recipe = recipe;
        this.folder = new MixtureFolder(folder);
        this.work = folder.resolve(".build");
        this.options = options;
    }

    /**
     * Builds a mixture, or keeps the existing one if nothing it depends on has changed.
     *
     * @param recipe of the mixture
     * @param folder of the mixture; created if missing
     * @return empty if it was stopped
     * @throws ConfigException if a rule needs a tokenizer and the recipe names none
     * @throws DataException naming file and record, if a raw file cannot be used
     */
    public static Optional<Result> build(MixtureRecipe recipe, Path folder, Options options) {
        try {
            return Optional.of(new MixtureBuilder(recipe, folder, options).build());
        } catch (BuildStoppedException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new DataException("the mixture in %s cannot be written: %s".formatted(folder, e.getMessage()), e);
        }
    }

    /**
     * {@link #build(MixtureRecipe, Path, Options)}, showing progress in megabytes of raw files.
     *
     * @param threads number of sources that are read in parallel
     * @return empty if it was stopped
     */
    public static Optional<Result> build(
            MixtureRecipe recipe,
            Path folder,
            Format format,
            int threads,
            Progress.Display display,
            BooleanSupplier stop) {
        try (Progress.Shown progress = display.open(recipe.name(), "MB")) {
            return build(
                    recipe,
                    folder,
                    new Options(
                            format,
                            threads,
                            (done, total) -> progress.update(done / MEGABYTE, Math.max(1, total / MEGABYTE)),
                            stop));
        }
    }

    private Result build() throws IOException {
        MixtureInputs.require(recipe);
        String key = new MixtureKeys(recipe).whole(options.format().name());
        Optional<Manifest> old = folder.finished(key);
        if (old.isPresent()) {
            return new Result(old.get(), true);
        }
        Files.createDirectories(work);
        List<SourceReport> reports = new SourceBuilds(recipe, work, options).run();
        Manifest manifest;
        try (MixtureWriter writer = new MixtureWriter(recipe, work, reports)) {
            Path file = folder.path().resolve(recipe.name() + options.format().ending());
            manifest = writer.write(file, options.format() == Format.JSON, () -> {
                if (options.stop().getAsBoolean()) {
                    throw new BuildStoppedException();
                }
            });
        }
        folder.writeLeftOut(out -> {
            for (String name : recipe.included()) {
                Files.copy(SourceBuild.leftOutFile(work, name), out);
            }
        });
        folder.finish(key, manifest);
        deleteWork();
        return new Result(manifest, false);
    }

    private void deleteWork() throws IOException {
        try (var files = Files.list(work)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(work);
    }
}
