package io.llava4j.train.data;

/** What to do with a record that cannot be used. */
public enum Policy {
    /** It is left out, counted and listed. */
    SKIP,
    /** The run stops with an error that names it. */
    FAIL
}
