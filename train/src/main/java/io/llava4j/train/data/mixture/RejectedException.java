package io.llava4j.train.data.mixture;

/** Thrown where a rule rejects a conversation; the message gives the reason in one sentence. */
final class RejectedException extends RuntimeException {
    private final String rule;

    /**
     * @param rule its key, or another name that such reasons are counted under
     * @param reason one sentence that does not name the record
     */
    RejectedException(String rule, String reason) {
        super(reason, null, false, false);
        this.rule = rule;
    }

    RejectedException(Rule rule, String reason) {
        this(rule.key(), reason);
    }

    String rule() {
        return rule;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
