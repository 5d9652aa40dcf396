package io.llava4j.spark;

import io.llava4j.DataException;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureFolder;
import io.llava4j.train.data.mixture.MixtureInputs;
import io.llava4j.train.data.mixture.MixtureKeys;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.data.mixture.SourceReport;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/**
 * Builds a mixture on a cluster: the steps of {@link io.llava4j.train.data.mixture.MixtureBuilder} as stages, with the
 * same bytes, in shards. One task reads each source; a shuffle brings the annotations of an image together; each
 * record's own random number decides sample and order; one task writes each shard.
 */
public final class SparkMixture {
    private final JavaSparkContext spark;
    private final MixtureRecipe recipe;
    private final MixtureFolder folder;
    private final Options options;
    private final Consumer<String> log;
    private final List<String> names;
    private final Shards shards;

    /**
     * How to build.
     *
     * @param shards number of files; another number gives other files
     * @param partitions of the stages in between; does not change the result
     */
    public record Options(int shards, int partitions) {}

    /** The sort key of a sample; the last one that a sample keeps is its limit. */
    private record Draw(long number, SourcePosition position) implements Comparable<Draw>, Serializable {
        @Override
        public int compareTo(Draw other) {
            int byNumber = Long.compare(number, other.number);
            return byNumber == 0 ? position.compareTo(other.position) : byNumber;
        }

        static Draw of(StepResult.Built built) {
            return new Draw(built.record().draw(), built.position());
        }
    }

    private SparkMixture(
            JavaSparkContext spark, MixtureRecipe recipe, Path folder, Options options, Consumer<String> log) {
        this.spark = spark;
        this.recipe = recipe;
        this.folder = new MixtureFolder(folder.toAbsolutePath());
        this.options = options;
        this.log = log;
        this.names = recipe.included();
        this.shards = new Shards(folder.toAbsolutePath().toString(), recipe.name(), options.shards());
    }

    /**
     * Builds a mixture, or its missing files.
     *
     * @param recipe its files, images and tokenizer are on a file system that all machines see
     * @param folder of the mixture, on such a file system; created if missing
     * @param log takes one line for each finished part
     * @throws io.llava4j.LlavaException as the build on one machine does
     */
    public static Manifest build(
            JavaSparkContext spark, MixtureRecipe recipe, Path folder, Options options, Consumer<String> log) {
        return new SparkMixture(spark, recipe, folder, options, log).build();
    }

    private Manifest build() {
        MixtureInputs.require(recipe);
        String key = new MixtureKeys(recipe).whole("SHARDS " + options.shards());
        Optional<Manifest> old = folder.finished(key);
        if (old.isPresent()) {
            log.accept("the mixture exists already, built from the same files");
            return old.get();
        }
        folder.begin();
        shards.begin(key);
        Stages stages = new Stages(recipe);
        stages.steps(0); // fails here, not in a task, if the tokenizer cannot be read
        JavaRDD<StepResult> read = read(stages);
        JavaRDD<StepResult> built = build(stages, read);
        try {
            requireRead(read);
            Manifest manifest = assemble(read, built);
            shards.end();
            folder.finish(key, manifest);
            return manifest;
        } finally {
            read.unpersist();
            built.unpersist();
        }
    }

    private JavaRDD<StepResult> read(Stages stages) {
        List<Integer> sources = IntStream.range(0, names.size()).boxed().toList();
        return spark.parallelize(sources, names.size())
                .flatMap(source -> {
                    BackgroundIterator<StepResult> results = stages.read(source);
                    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> results.close());
                    return results;
                })
                .persist(StorageLevel.DISK_ONLY());
    }

    private static void requireRead(JavaRDD<StepResult> read) {
        Optional<StepResult.SourceFailed> failed =
                read.filter(StepResult.SourceFailed.class::isInstance).collect().stream()
                        .map(StepResult.SourceFailed.class::cast)
                        .min(Comparator.comparingInt(StepResult.SourceFailed::source));
        if (failed.isPresent()) {
            throw new DataException(failed.get().reason());
        }
    }

    private JavaRDD<StepResult> build(Stages stages, JavaRDD<StepResult> read) {
        return read.filter(StepResult.Filtered.class::isInstance)
                .mapToPair(result -> {
                    StepResult.Filtered filtered = (StepResult.Filtered) result;
                    return new Tuple2<>(stages.key(filtered), filtered.item());
                })
                .repartitionAndSortWithinPartitions(new Ordering.ByGroup(options.partitions()))
                .mapPartitions(stages::build)
                .persist(StorageLevel.DISK_ONLY());
    }

    private Manifest assemble(JavaRDD<StepResult> read, JavaRDD<StepResult> built) {
        Map<Integer, SourceCounts> all = count(read.union(built));
        log.accept("read and built %,d conversations of %d sources"
                .formatted(all.values().stream().mapToInt(SourceCounts::records).sum(), names.size()));
        JavaRDD<StepResult.Built> kept =
                sample(built.filter(StepResult.Built.class::isInstance).map(StepResult.Built.class::cast), all);
        Map<Integer, SourceCounts> sampled = count(kept.map(result -> result));
        write(kept, all);
        writeLeftOut(read.union(built));
        List<SourceReport> reports = new ArrayList<>();
        int textOnly = 0;
        for (int i = 0; i < names.size(); i++) {
            SourceCounts whole = all.getOrDefault(i, SourceCounts.NONE);
            SourceCounts drawn = sampled.getOrDefault(i, SourceCounts.NONE);
            reports.add(new Stages(recipe)
                    .steps(i)
                    .report(whole.reading(), whole.records(), whole.pairs(), new TreeMap<>(whole.leftOut()))
                    .sampled(drawn.records(), drawn.pairs()));
            textOnly += drawn.textOnly();
        }
        return folder.describe(recipe, shards.pattern(), textOnly, reports);
    }

    private static Map<Integer, SourceCounts> count(JavaRDD<StepResult> results) {
        return results.filter(result -> !(result instanceof StepResult.Filtered))
                .mapToPair(result -> new Tuple2<>(SourceCounts.source(result), SourceCounts.of(result)))
                .reduceByKey(SourceCounts::plus)
                .collectAsMap();
    }

    /** Keeps, of sources with too many records, those with the smallest random numbers. */
    private JavaRDD<StepResult.Built> sample(JavaRDD<StepResult.Built> built, Map<Integer, SourceCounts> all) {
        Map<Integer, Draw> last = new TreeMap<>();
        for (int i = 0; i < names.size(); i++) {
            int source = i;
            int most = recipe.sample(names.get(i));
            if (most > 0 && all.getOrDefault(i, SourceCounts.NONE).records() > most) {
                last.put(
                        i,
                        built.filter(result -> result.position().source() == source)
                                .map(Draw::of)
                                .takeOrdered(most)
                                .getLast());
            }
        }
        return built.filter(result -> {
            Draw limit = last.get(result.position().source());
            return limit == null || Draw.of(result).compareTo(limit) <= 0;
        });
    }

    private void write(JavaRDD<StepResult.Built> kept, Map<Integer, SourceCounts> all) {
        List<Integer> missing = shards.missing();
        if (kept.isEmpty()) {
            throw new DataException("no record of any source of %s is left".formatted(recipe.name()));
        }
        if (!missing.isEmpty()) {
            List<Long> results = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                results.add(all.getOrDefault(i, SourceCounts.NONE).results());
            }
            Ordering ordering = new Ordering(recipe.shuffle(), options.shards(), results);
            Shards files = shards;
            kept.mapToPair(result ->
                            new Tuple2<>(ordering.of(result), result.record().json()))
                    .filter(record -> missing.contains(record._1().shard()))
                    .repartitionAndSortWithinPartitions(new Ordering.ByShard(options.shards()))
                    .foreachPartition(records -> {
                        TaskContext task = TaskContext.get();
                        if (missing.contains(task.partitionId())) {
                            files.write(task.partitionId(), task.taskAttemptId(), json(records));
                        }
                    });
        }
        log.accept("wrote %d of %d shards; the others existed".formatted(missing.size(), options.shards()));
    }

    private static Iterator<byte[]> json(Iterator<Tuple2<Ordering.ShardPosition, byte[]>> records) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return records.hasNext();
            }

            @Override
            public byte[] next() {
                return records.next()._2();
            }
        };
    }

    private void writeLeftOut(JavaRDD<StepResult> results) {
        Iterator<Tuple2<SourcePosition, String>> lines = results.filter(StepResult.Rejected.class::isInstance)
                .map(StepResult.Rejected.class::cast)
                .mapToPair(rejected ->
                        new Tuple2<>(rejected.position(), rejected.rejection().line()))
                .repartitionAndSortWithinPartitions(new Ordering.BySource(names.size()))
                .toLocalIterator();
        folder.writeLeftOut(out -> {
            while (lines.hasNext()) {
                out.write((lines.next()._2() + "\n").getBytes(StandardCharsets.UTF_8));
            }
        });
    }
}
