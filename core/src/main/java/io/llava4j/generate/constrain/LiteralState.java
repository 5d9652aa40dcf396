package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/**
 * Inside a literal.
 *
 * @param text in ASCII
 * @param read how many of them were read
 * @param parent the state after it
 */
record LiteralState(String text, int read, JsonState parent) implements JsonState {
    @Override
    public void step(int b, Consumer<JsonState> next) {
        if (text.charAt(read) == b) {
            next.accept(read + 1 == text.length() ? parent : new LiteralState(text, read + 1, parent));
        }
    }
}
