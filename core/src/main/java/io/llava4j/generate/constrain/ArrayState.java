package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/**
 * In an array, after its opening bracket or after an element.
 *
 * @param shape what the array may be
 * @param depth number of open arrays and objects
 * @param count number of elements so far
 * @param whitespace what stands before the next part
 * @param parent the state after the array
 */
record ArrayState(ArrayShape shape, int depth, int count, int whitespace, JsonState parent) implements JsonState {
    @Override
    public void step(int b, Consumer<JsonState> next) {
        int longer = Whitespace.add(whitespace, b, depth);
        if (longer >= 0) {
            next.accept(new ArrayState(shape, depth, count, longer, parent));
        } else if (b == ']') {
            if (count >= shape.min()) {
                next.accept(parent);
            }
        } else {
            ValueRule element = shape.element(count);
            if (element.fits(depth)) {
                JsonState after = new ArrayState(shape, depth, counted(), Whitespace.NONE, parent);
                if (count == 0) {
                    element.start(b, depth, after, next);
                } else if (b == ',') {
                    next.accept(new ValueState(element, depth, Whitespace.NONE, after));
                }
            }
        }
    }

    /** Stops counting where the number makes no difference any more. */
    private int counted() {
        boolean matters = count < shape.firstCount() || count < shape.min() || shape.max() != ArrayShape.UNLIMITED;
        return matters || count == 0 ? count + 1 : count;
    }
}
