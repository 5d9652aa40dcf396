package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Builds the sources of a mixture in parallel, one thread for each; finished ones are not built again. */
final class SourceBuilds {
    private static final long POLL_MILLIS = 200;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final MixtureRecipe recipe;
    private final Path work;
    private final MixtureBuilder.Options options;
    private final MixtureKeys keys;
    private final LongAdder bytesDone = new LongAdder();

    /** The file that marks a source as finished: the hash of everything it depends on, and its report. */
    private record Finished(String key, SourceReport report) {}

    /** @param work folder of the temporary files */
    SourceBuilds(MixtureRecipe recipe, Path work, MixtureBuilder.Options options) {
        this.recipe = recipe;
        this.work = work;
        this.options = options;
        this.keys = new MixtureKeys(recipe);
    }

    /**
     * Builds all sources.
     *
     * @return their reports, in the recipe's order
     * @throws BuildStoppedException if the build was stopped
     */
    List<SourceReport> run() throws IOException {
        Map<String, Long> bytes = new LinkedHashMap<>();
        for (String name : recipe.included()) {
            bytes.put(name, MixtureInputs.bytes(recipe, name));
        }
        long total = bytes.values().stream().mapToLong(Long::longValue).sum();
        Map<String, Future<SourceReport>> running = new LinkedHashMap<>();
        @Nullable SentencePieceTokenizer tokenizer = MixtureInputs.tokenizer(recipe);
        // Platform threads: the work is computing. The largest source first, so that it does not run alone at the end.
        ExecutorService workers = Executors.newFixedThreadPool(
                Math.max(1, options.threads()),
                Thread.ofPlatform().daemon().name("mixture-", 0).factory());
        try {
            List<String> largestFirst = new ArrayList<>(bytes.keySet());
            largestFirst.sort(Comparator.comparing(bytes::get, Comparator.reverseOrder()));
            largestFirst.forEach(name -> running.put(name, workers.submit(() -> build(name, tokenizer))));
            List<SourceReport> reports = new ArrayList<>();
            for (String name : bytes.keySet()) {
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
                throw new BuildStoppedException();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new DataException("a source cannot be built: %s".formatted(e.getCause()), e.getCause());
            }
        }
    }

    private SourceReport build(String name, @Nullable SentencePieceTokenizer tokenizer) throws IOException {
        String key = keys.source(name);
        Path done = work.resolve(name + ".done");
        if (Files.isRegularFile(done)) {
            try {
                Finished finished = JSON.readValue(done, Finished.class);
                if (finished.key().equals(key)) {
                    bytesDone.add(MixtureInputs.bytes(recipe, name));
                    return finished.report();
                }
            } catch (JacksonException e) {
                Files.delete(done);
            }
        }
        Files.deleteIfExists(done);
        SourceReport report = SourceBuild.run(new SourceSteps(recipe, name, tokenizer), name, work, count -> {
            bytesDone.add(count);
            if (options.stop().getAsBoolean() || Thread.currentThread().isInterrupted()) {
                throw new BuildStoppedException();
            }
        });
        AtomicFiles.write(done, JSON.writeValueAsBytes(new Finished(key, report)));
        return report;
    }
}
