package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/**
 * Before a value.
 *
 * @param rule what the value may be
 * @param depth number of open arrays and objects
 * @param whitespace what stands before it so far
 * @param parent the state after the value
 */
record ValueState(ValueRule rule, int depth, int whitespace, JsonState parent) implements JsonState {
    @Override
    public void step(int b, Consumer<JsonState> next) {
        int longer = Whitespace.add(whitespace, b, depth);
        if (longer >= 0) {
            next.accept(new ValueState(rule, depth, longer, parent));
        } else {
            rule.start(b, depth, parent, next);
        }
    }
}
