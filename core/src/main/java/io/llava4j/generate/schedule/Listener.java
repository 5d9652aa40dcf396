package io.llava4j.generate.schedule;

/**
 * Sees one answer being written. It is called by the decoding thread, which all answers wait for: it has to return at once. The last
 * call is one of {@link #finished} and {@link #failed}.
 */
public interface Listener {
    /**
     * A token was chosen.
     *
     * @return false to end the answer here
     */
    boolean token(ChosenToken token);

    /** The answer is complete. */
    void finished(FinishReason reason, Usage usage);

    /** There is no answer, or no more of it. */
    void failed(RuntimeException cause);
}
