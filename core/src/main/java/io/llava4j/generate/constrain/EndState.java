package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/**
 * A complete document.
 *
 * @param whitespace what stands after it
 */
record EndState(int whitespace) implements JsonState {
    @Override
    public void step(int b, Consumer<JsonState> next) {
        int longer = Whitespace.add(whitespace, b, 0);
        if (longer >= 0) {
            next.accept(new EndState(longer));
        }
    }

    @Override
    public boolean isComplete() {
        return true;
    }
}
