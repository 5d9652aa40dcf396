package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.train.data.format.DataFiles;
import io.llava4j.train.data.format.Pictures;
import io.llava4j.train.data.format.RowShapes;
import io.llava4j.train.data.format.RowSink;
import io.llava4j.train.recipe.TrainConfig.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Reads a data set, whatever file it comes in ({@link DataFiles}), as LLaVA records (spec/data 1). Records are read one by
 * one, so a file need not fit into memory as a tree. Every record is checked by {@link RecordRules}.
 */
public final class LlavaFiles implements RowSink {
    private final Path file;
    private final Policy badRecords;
    private final RecordRules rules = new RecordRules();
    private final List<LlavaRecord> records = new ArrayList<>();
    private final IntStream.Builder indices = IntStream.builder();
    private final List<SkippedRecord> skipped = new ArrayList<>();
    private int index;

    private LlavaFiles(Path file, Policy badRecords) {
        this.file = file;
        this.badRecords = badRecords;
    }

    /**
     * Reads a data set.
     *
     * @param file any of the forms of {@link DataFiles}
     * @param badRecords what happens to a record that breaks a rule; a file that cannot be read on from some place cannot
     *     be used either way
     * @return the records; to be closed where pictures came with them
     * @throws DataException naming file, line or record, and the remedy; also if no record is usable
     */
    public static LlavaData read(Path file, Policy badRecords) {
        return new LlavaFiles(file, badRecords).read();
    }

    private LlavaData read() {
        Pictures pictures = DataFiles.read(file, this);
        if (records.isEmpty()) {
            if (pictures != null) {
                pictures.close();
            }
            throw new DataException(
                    skipped.isEmpty()
                            ? "%s holds no records; a LLaVA data file is a JSON array of them".formatted(file)
                            : "none of the %d records of %s can be used; the first: %s"
                                    .formatted(
                                            skipped.size(),
                                            file,
                                            skipped.getFirst().reason()));
        }
        return new LlavaData(
                file, records, indices.build().toArray(), skipped, rules.leadingAnswersDropped(), pictures);
    }

    @Override
    public void row(JsonNode row) {
        JsonNode node = RowShapes.toRecord(row);
        try {
            LlavaRecord accepted = rules.read(node);
            records.add(accepted);
            indices.add(index++);
        } catch (DataException e) {
            refuse(RecordRules.id(node), String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public void refuse(String reason, @Nullable Exception cause) {
        refuse("", reason, cause);
    }

    private void refuse(String id, String reason, @Nullable Exception cause) {
        SkippedRecord record = new SkippedRecord(file.toString(), index++, id, reason);
        if (badRecords == Policy.FAIL) {
            throw new DataException(record.message(), cause);
        }
        skipped.add(record);
    }
}
