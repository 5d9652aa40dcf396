package io.llava4j.train.data.mixture;

import io.llava4j.train.data.raw.Annotation;
import io.llava4j.train.data.raw.RawItem;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/** Takes the {@link SourceSteps} of one source in one thread, into a {@link RecordStore}. */
final class SourceBuild implements SourceSteps.Output {
    private final SourceSteps steps;
    private final RecordStore.Writer spool;
    private final BufferedWriter list;
    private final Map<String, Gathered> gathered = new LinkedHashMap<>();
    private final Set<String> seen = new HashSet<>();
    private final TreeMap<String, Integer> leftOut = new TreeMap<>();
    private long pairs;

    /** All that was said of one image so far. */
    private record Gathered(RawItem first, List<Annotation> annotations) {}

    private SourceBuild(SourceSteps steps, RecordStore.Writer spool, BufferedWriter list) {
        this.steps = steps;
        this.spool = spool;
        this.list = list;
    }

    static Path leftOutFile(Path folder, String source) {
        return folder.resolve(source + ".left-out.jsonl");
    }

    /**
     * Reads and builds everything.
     *
     * @param steps of the source
     * @param name of the source
     * @param folder of half-made things
     * @param bytesRead told how many bytes were read, again and again; may throw to stop
     */
    static SourceReport run(SourceSteps steps, String name, Path folder, LongConsumer bytesRead) throws IOException {
        try (RecordStore.Writer spool = new RecordStore.Writer(folder, name);
                BufferedWriter list = Files.newBufferedWriter(leftOutFile(folder, name))) {
            return new SourceBuild(steps, spool, list).run(bytesRead);
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private SourceReport run(LongConsumer bytesRead) throws IOException {
        SourceSteps.Grouping grouping = steps.grouping();
        SourceSteps.Reading reading = steps.read(
                bytesRead,
                item -> {
                    switch (grouping) {
                        case ALONE -> steps.build(item, this);
                        case GATHER ->
                            gathered.computeIfAbsent(
                                            steps.key(item),
                                            id -> new Gathered(item.with(List.of()), new ArrayList<>()))
                                    .annotations()
                                    .addAll(item.annotations());
                        case FIRST -> {
                            if (seen.add(steps.key(item))) {
                                steps.build(item, this);
                            } else {
                                leave(steps.duplicate(item));
                            }
                        }
                    }
                },
                this::leave);
        gathered.values().forEach(all -> steps.build(all.first().with(all.annotations()), this));
        spool.finish();
        return steps.report(reading, spool.size(), pairs, leftOut);
    }

    @Override
    public void add(MixtureRecord record) {
        pairs += record.pairs();
        try {
            spool.add(record);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void leave(Rejection left) {
        leftOut.merge(left.rule(), 1, Integer::sum);
        try {
            list.write(left.line());
            list.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
