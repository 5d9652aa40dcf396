package io.llava4j.train.data;

import java.nio.file.Path;
import java.util.List;

/**
 * The usable records of a data file and what happened to the others.
 *
 * @param file where they come from
 * @param records in the file's order
 * @param indices place of each record in the file, from 0; differs from its place here once a record was skipped
 * @param skipped what was left out
 * @param leadingAnswersDropped conversations that began with an answer, which was dropped as the reference does
 */
public record LlavaData(
        Path file, List<LlavaRecord> records, int[] indices, List<SkippedRecord> skipped, int leadingAnswersDropped) {
    public LlavaData {
        records = List.copyOf(records);
        skipped = List.copyOf(skipped);
        if (records.size() != indices.length) {
            throw new IllegalArgumentException("%d records, %d indices".formatted(records.size(), indices.length));
        }
    }

    /** Names a record the way errors and lists do. */
    SkippedRecord skip(int position, String reason) {
        return new SkippedRecord(
                file.toString(), indices[position], records.get(position).id(), reason);
    }
}
