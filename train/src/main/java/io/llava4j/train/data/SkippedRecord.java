package io.llava4j.train.data;

/**
 * A record that was left out, and why.
 *
 * @param file the data file
 * @param index of the record in the file, from 0
 * @param id as the file has it; empty if it has none
 * @param reason one sentence
 */
public record SkippedRecord(String file, int index, String id, String reason) {
    /** An error message with file, record, id and reason. */
    public String message() {
        return "%s, record %d%s: %s".formatted(file, index, id.isEmpty() ? "" : " (id " + id + ")", reason);
    }
}
