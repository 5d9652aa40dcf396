package io.llava4j.train.data.mixture;

/** A conversation that is left out: by which rule, and why in one sentence. */
final class RejectedException extends RuntimeException {
    private final String by;

    /**
     * @param by key of the rule, or what else the reason is counted under
     * @param reason one sentence that does not name the record
     */
    RejectedException(String by, String reason) {
        super(reason, null, false, false);
        this.by = by;
    }

    RejectedException(Rule by, String reason) {
        this(by.key(), reason);
    }

    String by() {
        return by;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
