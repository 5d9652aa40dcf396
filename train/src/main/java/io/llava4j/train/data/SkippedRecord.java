package io.llava4j.train.data;

/**
 * A record that was left out, and why.
 *
 * @param file the data file
 * @param index place in the file, from 0
 * @param id as the file has it; empty where it has none
 * @param reason one sentence
 */
public record SkippedRecord(String file, int index, String id, String reason) {
    /** The same as an error message. */
    public String message() {
        return "%s, record %d%s: %s".formatted(file, index, id.isEmpty() ? "" : " (id " + id + ")", reason);
    }
}
