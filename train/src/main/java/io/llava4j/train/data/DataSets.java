package io.llava4j.train.data;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.train.data.format.QuestionRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Several data sets of a recipe as one: their records one set after the other, named by the set they come from. */
public final class DataSets {
    /** File of all records together, for messages. */
    private static final Path TOGETHER = Path.of("data.sets");

    private DataSets() {}

    /** Which records are taken. */
    public enum Take {
        /** Those of an epoch, as often as it has them. */
        EPOCH,
        /** Each once, whether an epoch has it or not. */
        ALL
    }

    /**
     * Reads the data of a recipe: its {@code data.json} as it is, or its {@code data.sets} as one.
     *
     * @param spec the section {@code data}
     * @param badRecords what happens to a record that breaks a rule
     * @param questions how rows of questions become conversations
     * @param take which records of several sets
     * @param seed of the run, which decides what is drawn
     * @return the records; to be closed
     * @throws DataException if a file cannot be read or has no usable record
     * @throws ConfigException if a set is smaller than its limit
     */
    public static LlavaData read(DataConfig spec, Policy badRecords, QuestionRows questions, Take take, long seed) {
        List<DataSet> sets = spec.sets();
        if (sets == null) {
            return LlavaFiles.read(spec.file(), badRecords, questions, spec.images());
        }
        List<LlavaData> open = new ArrayList<>();
        try {
            for (DataSet set : sets) {
                open.add(LlavaFiles.read(set.json(), badRecords, questions, set.images()));
            }
            int[] sizes = open.stream().mapToInt(data -> data.records().size()).toArray();
            List<int[]> drawn = take == Take.EPOCH
                    ? SetDraw.of(sets, sizes, seed)
                    : IntStream.of(sizes)
                            .mapToObj(size -> IntStream.range(0, size).toArray())
                            .toList();
            return join(sets, open, drawn);
        } catch (RuntimeException | Error e) {
            open.forEach(LlavaData::close);
            throw e;
        }
    }

    private static LlavaData join(List<DataSet> sets, List<LlavaData> open, List<int[]> drawn) {
        List<LlavaRecord> records = new ArrayList<>();
        IntStream.Builder indices = IntStream.builder();
        List<SkippedRecord> skipped = new ArrayList<>();
        List<SkippedRecord> repeated = new ArrayList<>();
        List<LlavaData.Part> parts = new ArrayList<>();
        int joined = 0;
        int leadingAnswersDropped = 0;
        for (int i = 0; i < sets.size(); i++) {
            DataSet set = sets.get(i);
            LlavaData data = open.get(i);
            List<LlavaRecord> named =
                    data.records().stream().map(record -> of(set, record)).toList();
            for (int position : drawn.get(i)) {
                records.add(named.get(position));
                indices.add(data.indices()[position]);
            }
            skipped.addAll(data.skipped());
            repeated.addAll(data.repeated());
            joined += data.joined();
            leadingAnswersDropped += data.leadingAnswersDropped();
            parts.add(new LlavaData.Part(set.label(), data, set.images(), drawn.get(i).length));
        }
        return new LlavaData(
                TOGETHER,
                records,
                indices.build().toArray(),
                skipped,
                joined,
                repeated,
                leadingAnswersDropped,
                null,
                parts);
    }

    /** The record under its set's name, which also tells images of the same name apart. */
    private static LlavaRecord of(DataSet set, LlavaRecord record) {
        return new LlavaRecord(
                record.id(),
                record.images().stream()
                        .map(image -> SetImages.name(set.label(), image))
                        .toList(),
                record.system(),
                record.turns(),
                set.label());
    }
}
