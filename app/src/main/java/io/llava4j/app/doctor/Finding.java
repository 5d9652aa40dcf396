package io.llava4j.app.doctor;

/**
 * One row of {@code llava doctor}.
 *
 * @param what what was examined
 * @param state the verdict
 * @param detail what was found
 * @param remedy what to do about it; empty where nothing needs doing
 */
public record Finding(String what, State state, String detail, String remedy) {
    /** Verdict of a finding. */
    public enum State {
        /** As it should be. */
        FINE,
        /** Works, but slower or with less than it could. */
        LIMITED,
        /** Some verb cannot work. */
        UNUSABLE
    }

    static Finding fine(String what, String detail) {
        return new Finding(what, State.FINE, detail, "");
    }

    static Finding limited(String what, String detail, String remedy) {
        return new Finding(what, State.LIMITED, detail, remedy);
    }

    static Finding unusable(String what, String detail, String remedy) {
        return new Finding(what, State.UNUSABLE, detail, remedy);
    }
}
