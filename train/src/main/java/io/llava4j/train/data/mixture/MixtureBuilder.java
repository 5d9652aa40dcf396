package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.Progress;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Builds a mixture in a {@link MixtureFolder} on one machine. Sources are read at the same time, each by one thread; the
 * same recipe and raw files give the same bytes whatever the number of threads. Finished sources are kept in
 * {@code .build} until all are done, so that a build that was stopped goes on where it was.
 */
public final class MixtureBuilder {
    private static final long MEGABYTE = 1_000_000;

    private static final long POLL_MILLIS = 200;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final MixtureRecipe recipe;
    private final MixtureFolder folder;
    private final Path work;
    private final Options options;
    private final List<String> names;
    private final MixtureKeys keys;
    private final LongAdder bytesDone = new LongAdder();

    /** Forms of the data file. */
    public enum Format {
        /** One array. */
        JSON,
        /** A record a line. */
        JSONL;

        String ending() {
            return this == JSON ? ".json" : ".jsonl";
        }
    }

    /**
     * How to build; none of it but the format changes what is built.
     *
     * @param format of the data file
     * @param threads sources that are read at the same time
     * @param progress told how many of the raw files' bytes were read, from the calling thread
     * @param stop asked again and again; true stops the build
     */
    public record Options(Format format, int threads, Progress progress, BooleanSupplier stop) {}

    /**
     * A mixture on disk.
     *
     * @param manifest what it is made of
     * @param reused whether it was there already
     */
    public record Result(Manifest manifest, boolean reused) {}

    /** Thrown into a source's reading to end it; what it has made so far is given up. */
    private static final class Stopped extends LlavaException {
        Stopped() {
            super("the build was stopped; the same command goes on with the sources that are not done yet");
        }
    }

    /** A source that is built, and by what one knows that it is still the same. */
    private record Built(String key, SourceReport report) {}

    private MixtureBuilder(MixtureRecipe recipe, Path folder, Options options) {
        this.recipe = recipe;
        this.folder = new MixtureFolder(folder);
        this.work = folder.resolve(".build");
        this.options = options;
        this.names = recipe.included();
        this.keys = new MixtureKeys(recipe);
    }

    /**
     * Builds a mixture, or keeps the one that is there if nothing it depends on has changed.
     *
     * @param recipe what to build
     * @param folder where to; made if missing
     * @return empty if it was stopped
     * @throws ConfigException if a rule lacks what it needs
     * @throws DataException naming file and record, if a raw file cannot be used
     */
    public static Optional<Result> build(MixtureRecipe recipe, Path folder, Options options) {
        try {
            return Optional.of(new MixtureBuilder(recipe, folder, options).build());
        } catch (Stopped e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new DataException("the mixture in %s cannot be written: %s".formatted(folder, e.getMessage()), e);
        }
    }

    /**
     * {@link #build(MixtureRecipe, Path, Options)} that shows the raw files' megabytes it has read.
     *
     * @param threads sources that are read at the same time
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
        String key = keys.whole(options.format().name());
        Optional<Manifest> old = folder.finished(key);
        if (old.isPresent()) {
            return new Result(old.get(), true);
        }
        Files.createDirectories(work);
        List<SourceReport> reports = buildSources();
        Manifest manifest;
        try (MixtureWriter assembly = new MixtureWriter(recipe, work, reports)) {
            Path file = folder.path().resolve(recipe.name() + options.format().ending());
            manifest = assembly.write(file, options.format() == Format.JSON, () -> {
                if (options.stop().getAsBoolean()) {
                    throw new Stopped();
                }
            });
        }
        folder.writeLeftOut(out -> {
            for (String name : names) {
                Files.copy(SourceBuild.leftOutFile(work, name), out);
            }
        });
        folder.finish(key, manifest);
        deleteWork();
        return new Result(manifest, false);
    }

    private List<SourceReport> buildSources() throws IOException {
        Map<String, Long> bytes = new LinkedHashMap<>();
        for (String name : names) {
            bytes.put(name, MixtureInputs.bytes(recipe, name));
        }
        long total = bytes.values().stream().mapToLong(Long::longValue).sum();
        Map<String, Future<SourceReport>> running = new LinkedHashMap<>();
        @Nullable SentencePieceTokenizer tokenizer = MixtureInputs.tokenizer(recipe);
        // Platform threads: the work is computing. The largest source first, so that none is left alone at the end.
        ExecutorService workers = Executors.newFixedThreadPool(
                Math.max(1, options.threads()),
                Thread.ofPlatform().daemon().name("mixture-", 0).factory());
        try {
            List<String> largestFirst = new ArrayList<>(names);
            largestFirst.sort(Comparator.comparing(bytes::get, Comparator.reverseOrder()));
            largestFirst.forEach(name -> running.put(name, workers.submit(() -> buildSource(name, tokenizer))));
            List<SourceReport> reports = new ArrayList<>();
            for (String name : names) {
                reports.add(await(Objects.requireNonNull(running.get(name)), total));
            }
            options.progress().update(total, total);
            return reports;
        } finally {
            workers.shutdownNow();
        }
    }

    private SourceReport await(Future<SourceReport> future, long total) {
        while (true) {
            try {
                return future.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // Some files are read twice.
                options.progress().update(Math.min(total, bytesDone.sum()), total);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Stopped();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new DataException("a source cannot be built: %s".formatted(e.getCause()), e.getCause());
            }
        }
    }

    private SourceReport buildSource(String name, @Nullable SentencePieceTokenizer tokenizer) throws IOException {
        String key = keys.source(name);
        Path done = work.resolve(name + ".done");
        if (Files.isRegularFile(done)) {
            try {
                Built built = JSON.readValue(done, Built.class);
                if (built.key().equals(key)) {
                    bytesDone.add(MixtureInputs.bytes(recipe, name));
                    return built.report();
                }
            } catch (JacksonException e) {
                Files.delete(done);
            }
        }
        Files.deleteIfExists(done);
        SourceReport report = SourceBuild.run(new SourceSteps(recipe, name, tokenizer), name, work, count -> {
            bytesDone.add(count);
            if (options.stop().getAsBoolean() || Thread.currentThread().isInterrupted()) {
                throw new Stopped();
            }
        });
        AtomicFiles.write(done, JSON.writeValueAsBytes(new Built(key, report)));
        return report;
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
