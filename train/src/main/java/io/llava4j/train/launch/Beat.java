package io.llava4j.train.launch;

import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a rank says about itself every second, as one line on stderr that its launcher takes out of the log.
 *
 * @param state what it does
 * @param detail what it waits for, or why it was lost; empty in other states
 * @param step steps done
 * @param steps of the whole run; 0 before training begins
 * @param seconds since the state began, or since the last step
 */
public record Beat(State state, String detail, int step, int steps, double seconds) {
    /** What a rank does. */
    public enum State {
        /** Reads recipe, data and weights; no step can be lost yet. */
        STARTING,
        /** Computes. */
        TRAINING,
        /** Waits for other ranks. */
        WAITING,
        /** Gave up because another rank did not come or is gone. */
        LOST,
        /** Its recipe, options, data or weights cannot be used, which is the same in every attempt. */
        REFUSED
    }

    /** Of a process that did not say anything yet. */
    static final Beat NONE = new Beat(State.STARTING, "", 0, 0, 0);

    /** A character that no log has: the separator of records. */
    private static final char MARK = '\u001e';

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** One line without its end. */
    String toLine() {
        return MARK + JSON.writeValueAsString(this);
    }

    /** The beat in a line of stderr, if there is one; a log line that was not ended may stand before it. */
    static Optional<Beat> inLine(String line) {
        int mark = line.indexOf(MARK);
        if (mark < 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readValue(line.substring(mark + 1), Beat.class));
        } catch (JacksonException e) {
            return Optional.of(NONE);
        }
    }

    /** The part of a line of stderr that is log: all of it, or what stands before a beat. */
    static String logIn(String line) {
        int mark = line.indexOf(MARK);
        return mark < 0 ? line : line.substring(0, mark);
    }

    /** For messages: {@code at step 12 of 80, waiting in the all-reduce for 3 s}. */
    String describe() {
        String where = steps == 0 ? "before the first step" : "at step %d of %d".formatted(step, steps);
        return where
                + switch (state) {
                    case STARTING, REFUSED -> "";
                    case TRAINING -> seconds < 1 ? "" : String.format(Locale.ROOT, ", computing for %.0f s", seconds);
                    case WAITING -> String.format(Locale.ROOT, ", waiting in %s for %.0f s", detail, seconds);
                    case LOST -> ", where it gave up: " + detail;
                };
    }
}
