package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/**
 * One way to understand the bytes of an answer so far. Immutable; states that mean the same are equal. From every state some
 * bytes lead to a complete document.
 */
interface JsonState {
    /**
     * Reads a further byte.
     *
     * @param b from 0 to 255
     * @param next receives the states after it; none if the byte does not fit
     */
    void step(int b, Consumer<JsonState> next);

    /** Whether the answer may end here. */
    default boolean isComplete() {
        return false;
    }

    /**
     * Exactly so many characters that a JSON string holds as they are may follow next, whatever they are; 0 if that depends
     * on the characters.
     */
    default int freeCharacters() {
        return 0;
    }
}
