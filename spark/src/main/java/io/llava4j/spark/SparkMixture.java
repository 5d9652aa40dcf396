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
 * Builds a mixture on a cluster: the steps of {@link io.llava4j.train.data.mixture.MixtureBuilder} as stages, and the
 * same bytes, in shards. Sources are read by a task each; what is said of an image comes together by a shuffle; samples
 * and order are drawn by each record's own number; every shard is written by a task.
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
     * @param shards number of files; part of what is built
     * @param partitions of the stages in between; changes nothing of what is built
     */
    public record Options(int shards, int partitions) {}

    /** The last of a source's records that a sample keeps. */
    private record Draw(long number, Place place) implements Comparable<Draw>, Serializable {
        @Override
        public int compareTo(Draw other) {
            int byNumber = Long.compare(number, other.number);
            return byNumber == 0 ? place.compareTo(other.place) : byNumber;
        }

        static Draw of(Event.Built built) {
            return new Draw(built.record().draw(), built.place());
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
     * Builds a mixture, or what is missing of it.
     *
     * @param recipe its files, images and tokenizer are on a file system that all machines see
     * @param folder where to, on such a file system; made if missing
     * @param log told what is done, in one line each
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
            log.accept("the mixture was there already, built of the same files");
            return old.get();
        }
        folder.begin();
        shards.begin(key);
        Stages stages = new Stages(recipe);
        stages.steps(0); // a tokenizer that cannot be read is told of here, not by some task
        JavaRDD<Event> read = read(stages);
        JavaRDD<Event> built = build(stages, read);
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

    private JavaRDD<Event> read(Stages stages) {
        List<Integer> sources = IntStream.range(0, names.size()).boxed().toList();
        return spark.parallelize(sources, names.size())
                .flatMap(source -> {
                    Pushed<Event> events = stages.read(source);
                    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> events.close());
                    return events;
                })
                .persist(StorageLevel.DISK_ONLY());
    }

    private static void requireRead(JavaRDD<Event> read) {
        Optional<Event.Failed> failed = read.filter(Event.Failed.class::isInstance).collect().stream()
                .map(Event.Failed.class::cast)
                .min(Comparator.comparingInt(Event.Failed::source));
        if (failed.isPresent()) {
            throw new DataException(failed.get().reason());
        }
    }

    private JavaRDD<Event> build(Stages stages, JavaRDD<Event> read) {
        return read.filter(Event.Settled.class::isInstance)
                .mapToPair(event -> {
                    Event.Settled settled = (Event.Settled) event;
                    return new Tuple2<>(stages.key(settled), settled.item());
                })
                .repartitionAndSortWithinPartitions(new Ordering.ByGroup(options.partitions()))
                .mapPartitions(stages::build)
                .persist(StorageLevel.DISK_ONLY());
    }

    private Manifest assemble(JavaRDD<Event> read, JavaRDD<Event> built) {
        Map<Integer, Tally> all = tally(read.union(built));
        log.accept("read and built %,d conversations of %d sources"
                .formatted(all.values().stream().mapToInt(Tally::records).sum(), names.size()));
        JavaRDD<Event.Built> kept =
                sample(built.filter(Event.Built.class::isInstance).map(Event.Built.class::cast), all);
        Map<Integer, Tally> sampled = tally(kept.map(event -> event));
        write(kept, all);
        writeLeftOut(read.union(built));
        List<SourceReport> reports = new ArrayList<>();
        int textOnly = 0;
        for (int i = 0; i < names.size(); i++) {
            Tally whole = all.getOrDefault(i, Tally.NOTHING);
            Tally drawn = sampled.getOrDefault(i, Tally.NOTHING);
            reports.add(new Stages(recipe)
                    .steps(i)
                    .report(whole.reading(), whole.records(), whole.pairs(), new TreeMap<>(whole.leftOut()))
                    .sampled(drawn.records(), drawn.pairs()));
            textOnly += drawn.textOnly();
        }
        return folder.describe(recipe, shards.pattern(), textOnly, reports);
    }

    private static Map<Integer, Tally> tally(JavaRDD<Event> events) {
        return events.filter(event -> !(event instanceof Event.Settled))
                .mapToPair(event -> new Tuple2<>(Tally.source(event), Tally.of(event)))
                .reduceByKey(Tally::plus)
                .collectAsMap();
    }

    /** Of sources with too many records those with the least numbers. */
    private JavaRDD<Event.Built> sample(JavaRDD<Event.Built> built, Map<Integer, Tally> all) {
        Map<Integer, Draw> last = new TreeMap<>();
        for (int i = 0; i < names.size(); i++) {
            int source = i;
            int most = recipe.sample(names.get(i));
            if (most > 0 && all.getOrDefault(i, Tally.NOTHING).records() > most) {
                last.put(
                        i,
                        built.filter(event -> event.place().source() == source)
                                .map(Draw::of)
                                .takeOrdered(most)
                                .getLast());
            }
        }
        return built.filter(event -> {
            Draw limit = last.get(event.place().source());
            return limit == null || Draw.of(event).compareTo(limit) <= 0;
        });
    }

    private void write(JavaRDD<Event.Built> kept, Map<Integer, Tally> all) {
        List<Integer> missing = shards.missing();
        if (kept.isEmpty()) {
            throw new DataException("no record is left of all sources of %s".formatted(recipe.name()));
        }
        if (!missing.isEmpty()) {
            List<Long> events = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                events.add(all.getOrDefault(i, Tally.NOTHING).events());
            }
            Ordering ordering = new Ordering(recipe.shuffle(), options.shards(), events);
            Shards files = shards;
            kept.mapToPair(event ->
                            new Tuple2<>(ordering.of(event), event.record().json()))
                    .filter(record -> missing.contains(record._1().shard()))
                    .repartitionAndSortWithinPartitions(new Ordering.ByShard(options.shards()))
                    .foreachPartition(records -> {
                        TaskContext task = TaskContext.get();
                        if (missing.contains(task.partitionId())) {
                            files.write(task.partitionId(), task.taskAttemptId(), json(records));
                        }
                    });
        }
        log.accept("wrote %d of %d shards; the others were there".formatted(missing.size(), options.shards()));
    }

    private static Iterator<byte[]> json(Iterator<Tuple2<Ordering.Position, byte[]>> records) {
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

    private void writeLeftOut(JavaRDD<Event> events) {
        Iterator<Tuple2<Place, String>> lines = events.filter(Event.Skipped.class::isInstance)
                .map(Event.Skipped.class::cast)
                .mapToPair(
                        skipped -> new Tuple2<>(skipped.place(), skipped.left().line()))
                .repartitionAndSortWithinPartitions(new Ordering.BySource(names.size()))
                .toLocalIterator();
        folder.writeLeftOut(out -> {
            while (lines.hasNext()) {
                out.write((lines.next()._2() + "\n").getBytes(StandardCharsets.UTF_8));
            }
        });
    }
}
