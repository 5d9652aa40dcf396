package io.llava4j.app.doctor;

/**
 * One line of {@code llava doctor}.
 *
 * @param what what was checked
 * @param state the verdict
 * @param detail what was found
 * @param remedy what to change; empty where nothing has to
 */
public record Finding(String what, State state, String detail, String remedy) {
    /** Verdict of a finding. */
    public enum State {
        /** As it should be. */
        FINE,
        /** Works, but slower or with less memory than it should have. */
        LIMITED,
        /** At least one verb cannot work. */
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
