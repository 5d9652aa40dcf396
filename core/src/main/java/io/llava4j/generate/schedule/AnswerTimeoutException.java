package io.llava4j.generate.schedule;

import io.llava4j.LlavaException;
import java.time.Duration;

/** An answer was not complete in time. */
public final class AnswerTimeoutException extends LlavaException {
    /** @param timeout that has passed since the request */
    public AnswerTimeoutException(Duration timeout) {
        super("the answer was not complete within %d s; ask for a shorter one, or raise the timeout"
                .formatted(timeout.toSeconds()));
    }
}
