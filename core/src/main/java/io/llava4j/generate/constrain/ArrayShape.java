package io.llava4j.generate.constrain;

import java.util.List;
import java.util.function.Consumer;

/** Arrays. */
final class ArrayShape implements Shape {
    /** No upper limit. */
    static final int UNLIMITED = Integer.MAX_VALUE;

    private final List<ValueRule> first;
    private final ValueRule others;
    private final int min;
    private final int max;

    /**
     * Arrays.
     *
     * @param first what the first elements may be
     * @param others what the others may be
     * @param min fewest elements
     * @param max most elements
     */
    ArrayShape(List<ValueRule> first, ValueRule others, int min, int max) {
        this.first = List.copyOf(first);
        this.others = others;
        this.min = min;
        this.max = max;
    }

    int min() {
        return min;
    }

    int max() {
        return max;
    }

    /** What the element may be. */
    ValueRule element(int index) {
        return index >= max ? ValueRule.NEVER : index < first.size() ? first.get(index) : others;
    }

    /** Elements have rules of their own up to here. */
    int firstCount() {
        return first.size();
    }

    @Override
    public void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
        if (b == '[') {
            next.accept(new ArrayState(this, depth + 1, 0, Whitespace.NONE, parent));
        }
    }

    @Override
    public int levels() {
        int levels = min > max ? UNREACHABLE : 1;
        for (int i = 0; i < Math.min(min, first.size() + 1); i++) {
            levels = Math.max(levels, element(i).levels() + 1);
        }
        return Math.min(levels, UNREACHABLE);
    }
}
