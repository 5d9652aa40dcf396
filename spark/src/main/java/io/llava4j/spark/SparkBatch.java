package io.llava4j.spark;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.io.Shard;
import io.llava4j.train.batch.BatchSummary;
import io.llava4j.train.batch.BatchTask;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;

/**
 * Answers all records of a file on a cluster: a task for each shard, one input and one model for each executor. The shards are
 * those of {@code llava batch --shard}, byte for byte, and a shard that exists is kept.
 */
final class SparkBatch {
    private SparkBatch() {}

    /**
     * What became of a shard.
     *
     * @param summary null if it cannot be answered
     * @param failure the reason in one sentence; empty if there is none
     */
    private record ShardResult(@Nullable BatchSummary summary, String failure) implements Serializable {}

    /**
     * Answers what earlier runs left open.
     *
     * @param count number of shards
     * @throws DataException if a shard cannot be answered at all, such as without its model
     */
    static BatchSummary run(JavaSparkContext spark, BatchArguments arguments, int count, Consumer<String> log) {
        long start = System.nanoTime();
        try (BatchTask task = arguments.look()) {
            task.removeAttempts();
            List<Shard> all = IntStream.rangeClosed(1, count)
                    .mapToObj(index -> new Shard(index, count))
                    .toList();
            List<BatchSummary> summaries = new ArrayList<>();
            List<Integer> open = new ArrayList<>();
            for (Shard shard : all) {
                BatchSummary earlier = task.isFinished(shard) ? task.run(shard, (done, total, failed) -> {}) : null;
                if (earlier == null || arguments.retry() && earlier.failed() > 0) {
                    open.add(shard.index());
                } else {
                    summaries.add(earlier);
                }
            }
            log.accept("%,d records in %d shards, %d of which are to be answered"
                    .formatted(task.records(), count, open.size()));
            for (ShardResult result : answer(spark, arguments, open, count)) {
                if (result.summary() == null) {
                    throw new DataException(result.failure());
                }
                summaries.add(result.summary());
            }
            task.removeAttempts();
            String files = task.target(all.getFirst()) + (count == 1 ? "" : " to " + task.target(all.getLast()));
            return BatchSummary.ofShards(files, summaries, (System.nanoTime() - start) / 1e9);
        } finally {
            HeldBatches.close(); // those of a driver that is its own executor
        }
    }

    private static List<ShardResult> answer(
            JavaSparkContext spark, BatchArguments arguments, List<Integer> open, int count) {
        if (open.isEmpty()) {
            return List.of();
        }
        String job = spark.sc().applicationId();
        return spark.parallelize(open, open.size())
                .map(index -> {
                    String attempt = job + "-" + TaskContext.get().taskAttemptId();
                    try {
                        return new ShardResult(
                                HeldBatches.of(arguments).runAttempt(new Shard(index, count), attempt), "");
                    } catch (LlavaException e) { // trying again would not help
                        return new ShardResult(null, String.valueOf(e.getMessage()));
                    }
                })
                .collect();
    }
}
