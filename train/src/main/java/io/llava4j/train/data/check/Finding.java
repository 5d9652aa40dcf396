package io.llava4j.train.data.check;

import io.llava4j.train.data.SkippedRecord;

/**
 * Something about a record that its owner should know.
 *
 * @param kind of finding
 * @param record which, and one sentence
 */
public record Finding(Kind kind, SkippedRecord record) {
    /** Kinds of findings, the worst first (docs/reference/data.md#checks). */
    public enum Kind {
        /** Breaks a rule of the format: training leaves it out. */
        MALFORMED("malformed records", true),
        /** Its image is missing, damaged or outside the folder. */
        BAD_IMAGE("records with bad image", true),
        /** Nothing of its answers is left within the longest sequence. */
        NOTHING_TAUGHT("records that teach nothing", true),
        /** Its image is one of an evaluation set. */
        LEAK("records that leak an evaluation image", true),
        /** Its image is called like one of an evaluation set whose pixels are not at hand. */
        LEAK_BY_NAME("records whose image is called like an evaluation image", false),
        /** Same image and same words as an earlier record. */
        DUPLICATE("duplicates of an earlier record", false),
        /** Loses its end to the longest sequence. */
        TOO_LONG("records longer than the longest sequence", false),
        /** Holds text that the template uses to tell turns apart. */
        TEMPLATE_MARKER("records with text that the template uses as a marker", false);

        private final String title;
        private final boolean error;

        Kind(String title, boolean error) {
            this.title = title;
            this.error = error;
        }

        /** What is counted, in the plural. */
        public String title() {
            return title;
        }

        /** Whether a data set with it should not be trained on. */
        public boolean isError() {
            return error;
        }
    }
}
