package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.text.Prompt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes batches from records in a given order. Worker threads read ahead at most a fixed number of samples; the batches
 * depend on the order alone, never on timing. Used by one thread.
 *
 * <p>A sample that cannot be loaded ends the run or, if the policy is to skip, is left out: its batch becomes smaller, and
 * the other batches stay the same.
 */
public final class DataLoader implements Iterator<Batch>, AutoCloseable {
    /** Number of batches prepared ahead of the one in use. */
    private static final int BATCHES_AHEAD = 3;

    private final LlavaData data;
    private final Function<LlavaRecord, Prompt> prompts;
    private final Function<String, ImageInput> images;
    private final Consumer<Example> check;
    private final Settings settings;
    private final int[] order;
    private final ExecutorService workers;
    private final ArrayDeque<Future<Loaded>> ahead = new ArrayDeque<>();
    private final List<SkippedRecord> skipped = new ArrayList<>();
    private int submitted;
    private int position;

    /**
     * How samples are loaded.
     *
     * @param batchSize number of samples in a batch
     * @param workers number of threads; 0 for one less than there are processors
     * @param missingImages what happens to a record whose image cannot be loaded
     * @param badRecords what happens to a record without a valid prompt or without a supervised token
     */
    public record Settings(int batchSize, int workers, Policy missingImages, Policy badRecords) {}

    /**
     * @param data the records
     * @param prompts makes ids and labels of a record, truncated to the run's maximum length; called by several threads
     * @param images loads an image, given its path in a record; called by several threads
     * @param check throws a {@link LlavaException} for a sample that is no use once its images are known; called by several threads
     * @param settings how samples are loaded
     * @param order indices of {@code data.records()}, one epoch
     * @param from position in {@code order} to start at: 0, or {@link Batch#end} of the last batch of the run to resume
     */
    public DataLoader(
            LlavaData data,
            Function<LlavaRecord, Prompt> prompts,
            Function<String, ImageInput> images,
            Consumer<Example> check,
            Settings settings,
            int[] order,
            int from) {
        this.data = data;
        this.prompts = prompts;
        this.images = images;
        this.check = check;
        this.settings = settings;
        this.order = order.clone();
        this.position = from;
        this.submitted = from;
        int threads = settings.workers() > 0
                ? settings.workers()
                : Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
        this.workers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("data-", 0).factory());
    }

    @Override
    public boolean hasNext() {
        return position < order.length;
    }

    /**
     * The next batch; waits for its samples.
     *
     * @throws DataException naming file and record, if a sample cannot be loaded and the policy is to fail
     */
    @Override
    public Batch next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the epoch has no more batches");
        }
        int end = Math.min(order.length, position + settings.batchSize());
        long readAhead = (long) end + (long) BATCHES_AHEAD * settings.batchSize();
        for (; submitted < Math.min(order.length, readAhead); submitted++) {
            int record = order[submitted];
            ahead.add(workers.submit(() -> load(record)));
        }
        List<Example> examples = new ArrayList<>();
        for (; position < end; position++) {
            Loaded loaded = await(ahead.removeFirst());
            if (loaded.example() != null) {
                examples.add(loaded.example());
            } else if (loaded.problem() != null) {
                report(loaded.problem());
            }
        }
        return new Batch(examples, end);
    }

    /** Records left out so far, in the order in which they would have come. */
    public List<SkippedRecord> skipped() {
        return Collections.unmodifiableList(skipped);
    }

    /** Stops the workers and drops batches that were not taken. */
    @Override
    public void close() {
        workers.shutdownNow();
    }

    private void report(Problem problem) {
        if (problem.policy() == Policy.FAIL) {
            throw new DataException(problem.record().message(), problem.cause());
        }
        skipped.add(problem.record());
    }

    private Loaded load(int index) {
        LlavaRecord record = data.records().get(index);
        Prompt prompt;
        try {
            prompt = prompts.apply(record);
        } catch (LlavaException e) {
            return problem(index, settings.badRecords(), e);
        }
        if (prompt.supervisedCount() == 0) {
            return problem(
                    index,
                    settings.badRecords(),
                    new DataException(
                            "no token of an answer is left within data.max-length; raise it or shorten the record"));
        }
        Example example;
        try {
            example = new Example(
                    record, prompt, record.images().stream().map(images).toList());
        } catch (LlavaException e) {
            return problem(index, settings.missingImages(), e);
        }
        try {
            check.accept(example);
        } catch (LlavaException e) {
            return problem(index, settings.badRecords(), e);
        }
        return new Loaded(example, null);
    }

    private Loaded problem(int index, Policy policy, LlavaException cause) {
        return new Loaded(null, new Problem(data.skip(index, String.valueOf(cause.getMessage())), policy, cause));
    }

    private Loaded await(Future<Loaded> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LlavaException("reading the data was interrupted; start the run again with --resume", e);
        } catch (ExecutionException e) {
            // A bug or too little memory, not bad data; the message names the record.
            String where =
                    data.skip(order[position], String.valueOf(e.getCause())).message();
            throw new IllegalStateException(where, e.getCause());
        }
    }

    /** The result for a record: an example or a problem. */
    private record Loaded(
            @Nullable Example example, @Nullable Problem problem) {}

    private record Problem(SkippedRecord record, Policy policy, LlavaException cause) {}
}
