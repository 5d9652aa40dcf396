package io.llava4j.train.batch;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.OutputLock;
import io.llava4j.io.ResumableFile;
import io.llava4j.io.Shard;
import io.llava4j.io.StrictJson;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Answers all records of a file, many at once. The output has a line for each record in the order of the input, and equal input,
 * model and decoding give equal bytes: whether a run was interrupted, in how many shards, and on how many machines.
 */
public final class BatchTask implements AutoCloseable {
    /** Workers that prepare images while others wait for their answers. */
    private static final int PREPARING = 4;

    /** In the hidden name of an attempt's file, after the name of the shard's. */
    private static final String ATTEMPT = ".attempt-";

    private final Settings settings;
    private final BatchInput input;
    private boolean opened;

    /**
     * What is answered, and where the answers go.
     *
     * @param input file or folder
     * @param output the file of the answers
     * @param modelId names model and template
     * @param decoding names all that decides how records are answered
     * @param parallel answers that are decoded at the same time
     * @param maxFailures failures after which a run stops; -1 for no limit
     * @param retryFailed whether records that failed in earlier runs are answered again
     */
    public record Settings(
            Path input,
            Path output,
            String modelId,
            String decoding,
            int parallel,
            int maxFailures,
            boolean retryFailed) {}

    /** Follows a run. */
    @FunctionalInterface
    public interface BatchProgress {
        /**
         * A record was answered, or failed.
         *
         * @param done records so far, those of earlier runs included
         * @param total records of the batch or shard
         * @param failed of those that are done
         */
        void update(int done, int total, int failed);
    }

    /** @param input closed by {@link #close} */
    public BatchTask(Settings settings, BatchInput input) {
        this.settings = settings;
        this.input = input;
    }

    /** @throws ConfigException if answers cannot go there */
    public static void requireFile(Path output) {
        if (Files.isDirectory(output)) {
            throw new ConfigException("%s is a folder; name a file for the answers".formatted(output));
        }
    }

    /** Number of records, those that cannot be used included. */
    public int records() {
        return input.size();
    }

    /**
     * What a run would do; the model is not loaded.
     *
     * @param shard null for all records
     */
    public BatchPlan plan(@Nullable Shard shard) {
        AnswerLines lines = lines(shard, target(shard));
        lines.look(settings.retryFailed());
        adopt(shard, lines, false);
        List<String> problems = new ArrayList<>();
        int unusable = 0;
        int[] all = range(shard);
        for (int index : all) {
            String problem = input.problem(index);
            if (!problem.isEmpty()) {
                unusable++;
                if (problems.size() < BatchSummary.MAX_FAILURES) {
                    problems.add(problem);
                }
            }
        }
        return new BatchPlan(
                settings.input().toString(),
                input.format(),
                target(shard).toString(),
                all.length,
                unusable,
                lines.count(),
                all.length - lines.count(),
                problems);
    }

    /**
     * Answers a batch, or what earlier runs left open.
     *
     * @param shard null for all records; then finished shards beside the output are taken over
     * @throws ConfigException if the output belongs to another run, or one is writing it
     */
    public BatchSummary run(@Nullable Shard shard, BatchProgress progress) {
        return run(shard, target(shard), progress);
    }

    /**
     * {@link #run(Shard, BatchProgress)} for one of several attempts that may answer the same shard at the same time, such as those
     * of a cluster that believes a machine is gone. Each writes a file of its own, which becomes the shard's when it is complete.
     *
     * @param attempt distinguishes them
     */
    public BatchSummary runAttempt(Shard shard, String attempt) {
        if (isFinished(shard) && !settings.retryFailed()) {
            return run(shard, (done, total, failed) -> {});
        }
        Path own = settings.output().resolveSibling("." + target(shard).getFileName() + ATTEMPT + attempt);
        BatchSummary summary = run(shard, own, (done, total, failed) -> {});
        if (summary.complete()) {
            new ResumableFile(own, manifest(shard)).moveTo(target(shard));
        }
        return summary;
    }

    /** Removes what attempts have left that were killed; none may run. */
    public void removeAttempts() {
        Path folder = Objects.requireNonNull(settings.output().toAbsolutePath().getParent());
        String shard = String.valueOf(new Shard(1, 1).file(settings.output()).getFileName());
        String stem = shard.substring(0, shard.lastIndexOf("1-of-1"));
        Pattern left = Pattern.compile("\\.+" + Pattern.quote(stem) + "\\d+-of-\\d+.*" + Pattern.quote(ATTEMPT) + ".*");
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(
                folder, file -> left.matcher(file.getFileName().toString()).matches())) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be tidied up (%s)".formatted(folder, e.getMessage()), e);
        }
    }

    private BatchSummary run(@Nullable Shard shard, Path target, BatchProgress progress) {
        if (Files.exists(target) && !settings.retryFailed()) {
            return answer(shard, target, progress); // nothing is written
        }
        try (OutputLock lock = OutputLock.of(target)) {
            return answer(shard, target, progress);
        }
    }

    private BatchSummary answer(@Nullable Shard shard, Path target, BatchProgress progress) {
        AnswerLines lines = lines(shard, target);
        lines.resume(settings.retryFailed());
        if (shard != null && !target.equals(target(shard)) && isFinished(shard)) {
            lines.adopt(target(shard), shard.from(input.size()), shard.to(input.size()), settings.retryFailed(), true);
        }
        adopt(shard, lines, true);
        int[] all = range(shard);
        int earlier = lines.count();
        progress.update(earlier, all.length, lines.failed());
        int[] open =
                byGroup(IntStream.of(all).filter(index -> !lines.has(index)).toArray());
        BatchTotals totals = new BatchTotals();
        if (open.length > 0 && !isTooMany(lines)) {
            openModel();
            totals.begin();
            answer(open, lines, totals, () -> progress.update(lines.count(), all.length, lines.failed()));
        }
        boolean complete = lines.count() == all.length;
        if (complete) {
            lines.finish();
        }
        return totals.summary(target, all.length, earlier, lines, complete);
    }

    /** Where the answers of a shard go; null for all records. */
    public Path target(@Nullable Shard shard) {
        return shard == null ? settings.output() : shard.file(settings.output());
    }

    /**
     * Whether a shard is finished.
     *
     * @throws ConfigException if its file belongs to another run
     */
    public boolean isFinished(Shard shard) {
        ResumableFile file = new ResumableFile(target(shard), manifest(shard));
        if (!file.isComplete()) {
            return false;
        }
        file.requireSame();
        return true;
    }

    private AnswerLines lines(@Nullable Shard shard, Path target) {
        int[] all = range(shard);
        int from = all.length == 0 ? 0 : all[0];
        return new AnswerLines(new ResumableFile(target, manifest(shard)), from, from + all.length);
    }

    private int[] range(@Nullable Shard shard) {
        return shard == null
                ? IntStream.range(0, input.size()).toArray()
                : IntStream.range(shard.from(input.size()), shard.to(input.size()))
                        .toArray();
    }

    private String manifest(@Nullable Shard shard) {
        return StrictJson.MAPPER.writeValueAsString(JsonNodeFactory.instance
                .objectNode()
                .put("model_id", settings.modelId())
                .put("decoding", settings.decoding())
                .put("records", input.size())
                .put("records_sha256", input.fingerprint())
                .put("shard", shard == null ? "all" : shard.toString()));
    }

    private void adopt(@Nullable Shard shard, AnswerLines lines, boolean keep) {
        if (shard != null || lines.isComplete()) {
            return;
        }
        Shard.beside(settings.output()).forEach((other, file) -> {
            new ResumableFile(file, manifest(other)).requireSame();
            lines.adopt(file, other.from(input.size()), other.to(input.size()), settings.retryFailed(), keep);
        });
    }

    private synchronized void openModel() {
        if (!opened) {
            input.open();
            opened = true;
        }
    }

    private boolean isTooMany(AnswerLines lines) {
        return settings.maxFailures() >= 0 && lines.failed() > settings.maxFailures();
    }

    /** Stable: groups in order of first appearance, records of one in their order. */
    private int[] byGroup(int[] open) {
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (int index : open) {
            groups.computeIfAbsent(input.group(index), group -> new ArrayList<>())
                    .add(index);
        }
        return groups.values().stream()
                .flatMap(List::stream)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private void answer(int[] open, AnswerLines lines, BatchTotals totals, Runnable progress) {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Runnable work = () -> {
            try {
                for (int at = next.getAndIncrement();
                        at < open.length && failure.get() == null && !isTooMany(lines);
                        at = next.getAndIncrement()) {
                    BatchLine line = input.answer(open[at]);
                    lines.add(open[at], line);
                    totals.add(line);
                    progress.run();
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            }
        };
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < Math.min(open.length, settings.parallel() + PREPARING); i++) {
            workers.add(Thread.ofPlatform().daemon().name("batch-" + i).start(work));
        }
        join(workers, failure);
        switch (failure.get()) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    private static void join(List<Thread> workers, AtomicReference<@Nullable Throwable> failure) {
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                failure.compareAndSet(
                        null, new DataException("the batch was interrupted; run it again to resume it", e));
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        input.close();
    }
}
