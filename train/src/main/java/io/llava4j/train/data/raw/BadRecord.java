package io.llava4j.train.data.raw;

/** A record of a raw file that cannot be used; the message is a reason that does not name the record. */
final class BadRecord extends RuntimeException {
    BadRecord(String reason) {
        super(reason, null, false, false);
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
