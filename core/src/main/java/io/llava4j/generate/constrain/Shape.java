package io.llava4j.generate.constrain;

import java.math.BigDecimal;
import java.util.function.Consumer;

/** One kind of value that a rule allows. */
sealed interface Shape permits Shape.Literal, TextShape, NumberShape, ArrayShape, ObjectShape {
    /** Arrays and objects that may be open at once; readers of JSON have limits of their own. */
    int MAX_DEPTH = 32;

    /** More levels than any document has. */
    int UNREACHABLE = MAX_DEPTH + 1;

    /**
     * Reads the first byte of a value.
     *
     * @param depth number of open arrays and objects
     * @param parent the state after the value
     */
    void start(int b, int depth, JsonState parent, Consumer<JsonState> next);

    /** Number of arrays and objects, one inside the other, that the flattest value has; {@link #UNREACHABLE} if there is no value. */
    default int levels() {
        return 0;
    }

    /**
     * {@code true}, {@code false}, {@code null} or a number that is given.
     *
     * @param text as it is written, in ASCII
     */
    record Literal(String text) implements Shape {
        /** Whether it is a number. */
        boolean isNumber() {
            return text.charAt(0) == '-' || Character.isDigit(text.charAt(0));
        }

        /** Whether both are the same value; 1 and 1.0 are. */
        boolean isSame(Literal other) {
            return isNumber() && other.isNumber()
                    ? new BigDecimal(text).compareTo(new BigDecimal(other.text)) == 0
                    : text.equals(other.text);
        }

        @Override
        public void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
            new LiteralState(text, 0, parent).step(b, next);
        }
    }
}
