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

/** Runs the {@link SourceSteps} of one source in one thread and writes a {@link RecordStore}. */
final class SourceBuild implements SourceSteps.Output {
    private final SourceSteps steps;
    private final RecordStore.Writer store;
    private final BufferedWriter list;
    private final Map<String, Gathered> gathered = new LinkedHashMap<>();
    private final Set<String> seen = new HashSet<>();
    private final TreeMap<String, Integer> leftOut = new TreeMap<>();
    private long pairs;

    /** All annotations of one image so far. */
    private record Gathered(RawItem first, List<Annotation> annotations) {}

    private SourceBuild(SourceSteps steps, RecordStore.Writer store, BufferedWriter list) {
        this.steps = steps;
        this.store = store;
        this.list = list;
    }

    static Path leftOutFile(Path folder, String source) {
        return folder.resolve(source + ".left-out.jsonl");
    }

    /**
     * Reads and builds one source.
     *
     * @param steps of the source
     * @param name of the source
     * @param folder of the temporary files
     * @param bytesRead called repeatedly with the number of bytes read since the last call; may throw to stop
     */
    static SourceReport run(SourceSteps steps, String name, Path folder, LongConsumer bytesRead) throws IOException {
        try (RecordStore.Writer store = new RecordStore.Writer(folder, name);
                BufferedWriter list = Files.newBufferedWriter(leftOutFile(folder, name))) {
            return new SourceBuild(steps, store, list).run(bytesRead);
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
                                reject(steps.duplicate(item));
                            }
                        }
                    }
                },
                this::reject);
        gathered.values().forEach(all -> steps.build(all.first().with(all.annotations()), this));
        store.finish();
        return steps.report(reading, store.size(), pairs, leftOut);
    }

    @Override
    public void add(MixtureRecord record) {
        pairs += record.pairs();
        try {
            store.add(record);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void reject(Rejection rejection) {
        leftOut.merge(rejection.rule(), 1, Integer::sum);
        try {
            list.write(rejection.line());
            list.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
