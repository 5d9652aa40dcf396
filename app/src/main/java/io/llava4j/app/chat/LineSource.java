package io.llava4j.app.chat;

import org.jspecify.annotations.Nullable;

/** Where the user's lines come from: a terminal, a pipe, a test. */
@FunctionalInterface
public interface LineSource {
    /**
     * The next line without its end.
     *
     * @param prompt shown before it on a terminal
     * @return null when the user is done
     */
    @Nullable
    String next(String prompt);
}
