package io.llava4j.train.data.check;

import io.llava4j.train.data.SkippedRecord;

/**
 * A problem with a record.
 *
 * @param kind of finding
 * @param record and the problem in one sentence
 */
public record Finding(Kind kind, SkippedRecord record) {
    /** Kinds of findings, the worst first (docs/reference/data.md#checks). */
    public enum Kind {
        /** Breaks a rule of the format; training leaves it out. */
        MALFORMED("malformed records", true),
        /** Its image is missing, damaged or outside the folder. */
        BAD_IMAGE("records with bad image", true),
        /** No token of an answer is within the longest sequence. */
        NOTHING_SUPERVISED("records without a supervised token", true),
        /** Its image is in an evaluation set. */
        LEAK("records that leak an evaluation image", true),
        /** Its image has the name of one in an evaluation set. */
        LEAK_BY_NAME("records whose image has the name of an evaluation image", false),
        /** Has the same images and text as an earlier record. */
        DUPLICATE("duplicates of an earlier record", false),
        /** Is truncated to the longest sequence. */
        TOO_LONG("records longer than the longest sequence", false),
        /** Contains text that the template uses to separate turns. */
        TEMPLATE_MARKER("records with text that the template uses as a marker", false),
        /** A question shows an image in Markdown or HTML; the record has none. */
        SHOWS_IMAGE("text-only records whose question shows an image", false);

        private final String title;
        private final boolean error;

        Kind(String title, boolean error) {
            this.title = title;
            this.error = error;
        }

        /** Name of such findings, in the plural. */
        public String title() {
            return title;
        }

        /** Whether it is an error, not a warning. */
        public boolean isError() {
            return error;
        }
    }
}
