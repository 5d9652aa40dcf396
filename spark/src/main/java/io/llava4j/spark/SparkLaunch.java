package io.llava4j.spark;

import io.llava4j.LlavaException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Function1;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Trains in the tasks of a barrier stage, one rank in each. If a rank or an executor fails, the stage is run again and its ranks
 * continue from the newest checkpoint. Spark itself tries no barrier stage with a result again, and would not know how often ranks
 * have failed.
 */
final class SparkLaunch {
    private static final int SOFTWARE = 1;
    /** Why the last of several attempts failed, in what Spark says about a stage. */
    private static final Pattern REASON = Pattern.compile("finished unsuccessfully\\.\\s*([^\\n]+)");
    /** Spark's error class for a barrier stage that needs more tasks at a time than executors have room for. */
    private static final String TOO_FEW_SLOTS = "SPARK-24819";

    private final JavaSparkContext spark;
    private final int processes;
    private final int restarts;
    private final Duration timeout;
    private final Consumer<String> out;
    private final Consumer<String> log;

    /**
     * @param out receives what rank 0 prints as its result
     * @param log receives sentences for the user
     */
    SparkLaunch(
            JavaSparkContext spark,
            int processes,
            int restarts,
            Duration timeout,
            Consumer<String> out,
            Consumer<String> log) {
        this.spark = spark;
        this.processes = processes;
        this.restarts = restarts;
        this.timeout = timeout;
        this.out = out;
        this.log = log;
    }

    /**
     * Runs to the end.
     *
     * @return exit code: 0, that of the rank which failed first, or 130 after a stop
     * @throws LlavaException if the cluster cannot run all ranks at the same time
     */
    int run(RankProgram program) {
        for (int attempt = 0; ; attempt++) {
            RankTask task = new RankTask(program, spark.sc().applicationId() + "-" + attempt, timeout, attempt > 0);
            RankTask.Outcome outcome = run(task);
            if (outcome.code() == 0) {
                outcome.results().forEach(out);
            }
            outcome.sentences().forEach(log);
            if (!outcome.canRestart() || attempt == restarts) {
                return outcome.code();
            }
            log.accept("restart %d of %d from the newest checkpoint".formatted(attempt + 1, restarts));
        }
    }

    /** Runs the stage once. */
    private RankTask.Outcome run(RankTask task) {
        List<Integer> ranks = IntStream.range(0, processes).boxed().toList();
        ClassTag<RankTask.Outcome> kind = ClassTag$.MODULE$.apply(RankTask.Outcome.class);
        try {
            return spark.parallelize(ranks, processes)
                    .rdd()
                    .barrier()
                    .mapPartitions(inBarrier(task), false, kind)
                    .toJavaRDD()
                    .collect()
                    .getFirst();
        } catch (Exception e) { // Spark's are checked, but Scala does not declare them
            return failed(String.valueOf(e.getMessage()), e);
        }
    }

    private static <T> Function1<Iterator<T>, Iterator<RankTask.Outcome>> inBarrier(RankTask task) {
        return (Function1<Iterator<T>, Iterator<RankTask.Outcome>> & Serializable)
                ignored -> CollectionConverters.asScala(
                        List.of(task.run(BarrierTaskContext.get())).iterator());
    }

    private RankTask.Outcome failed(String message, Exception cause) {
        if (message.contains(TOO_FEW_SLOTS)) {
            throw new LlavaException(
                    "the cluster had no room for %d tasks at the same time within %d s; give it more executors or cores, or lower --processes or spark.task.cpus"
                            .formatted(processes, timeout.toSeconds()),
                    cause);
        }
        Matcher reason = REASON.matcher(message);
        String why =
                reason.find() ? reason.group(1) : message.lines().findFirst().orElse(cause.toString());
        return new RankTask.Outcome(SOFTWARE, true, List.of(), List.of("the stage failed: " + why.strip()));
    }

    /** What the job needs of Spark: a stage waits for its executors as long as ranks for each other. */
    static SparkConf conf(Duration timeout) {
        return new SparkConf()
                .setAppName("llava launch")
                .set("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s")
                .set("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", Long.toString(timeout.toSeconds()));
    }
}
