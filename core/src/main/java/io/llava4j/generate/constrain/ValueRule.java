package io.llava4j.generate.constrain;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What a value may be: one of several shapes. A rule may refer to itself through the shapes of arrays and objects; the
 * compiler fills it in and then closes it.
 */
final class ValueRule {
    /** No value at all. */
    static final ValueRule NEVER = new ValueRule();

    private final List<Shape> own = new ArrayList<>();
    private final List<ValueRule> others = new ArrayList<>();
    private List<Shape> shapes = List.of();
    private int levels = Shape.UNREACHABLE;

    void add(Shape shape) {
        own.add(shape);
    }

    /** All that another rule allows is allowed as well. */
    void addAll(ValueRule other) {
        others.add(other);
    }

    /** Collects the shapes once no more are added. */
    void close() {
        Set<ValueRule> seen = new LinkedHashSet<>();
        List<ValueRule> open = new ArrayList<>(List.of(this));
        Set<Shape> found = new LinkedHashSet<>();
        while (!open.isEmpty()) {
            ValueRule rule = open.removeLast();
            if (seen.add(rule)) {
                found.addAll(rule.own);
                open.addAll(rule.others.reversed());
            }
        }
        shapes = List.copyOf(found);
    }

    /** Computes the levels from those of the rules below; returns whether they changed. */
    boolean updateLevels() {
        int before = levels;
        for (Shape shape : shapes) {
            levels = Math.min(levels, shape.levels());
        }
        return levels != before;
    }

    List<Shape> shapes() {
        return shapes;
    }

    /** Whether some value of the rule can stand inside so many arrays and objects. */
    boolean fits(int depth) {
        return depth + levels <= Shape.MAX_DEPTH;
    }

    /** Number of arrays and objects, one inside the other, that the flattest value has. */
    int levels() {
        return levels;
    }

    /**
     * Reads the first byte of a value.
     *
     * @param depth number of open arrays and objects
     * @param parent the state after the value
     */
    void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
        for (Shape shape : shapes) {
            if (depth + shape.levels() <= Shape.MAX_DEPTH) {
                shape.start(b, depth, parent, next);
            }
        }
    }
}
