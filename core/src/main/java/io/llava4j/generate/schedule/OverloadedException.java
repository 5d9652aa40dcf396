package io.llava4j.generate.schedule;

import io.llava4j.LlavaException;
import java.time.Duration;

/** More requests wait already than may wait. */
public final class OverloadedException extends LlavaException {
    private final transient Duration retryAfter;

    /** @param retryAfter when there should be room again */
    public OverloadedException(int waiting, Duration retryAfter) {
        super("%d requests wait already; try again in %d s".formatted(waiting, retryAfter.toSeconds()));
        this.retryAfter = retryAfter;
    }

    /** When there should be room again, in whole seconds, at least one. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
