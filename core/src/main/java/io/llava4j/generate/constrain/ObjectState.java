package io.llava4j.generate.constrain;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * In an object, but in none of its keys and values.
 *
 * @param shape what the object may be
 * @param depth number of open arrays and objects
 * @param closed numbers of the properties that may not come any more; never changed
 * @param others names of the properties without a number so far; never changed
 * @param part what was read last
 * @param value what the value after the key may be; null if none was read
 * @param whitespace what stands before the next part
 * @param parent the state after the object
 */
record ObjectState(
        ObjectShape shape,
        int depth,
        BitSet closed,
        Set<String> others,
        Part part,
        @Nullable ValueRule value,
        int whitespace,
        JsonState parent)
        implements JsonState {
    /** Parts of an object. */
    enum Part {
        OPENED,
        COMMA,
        KEY,
        VALUE
    }

    @Override
    public void step(int b, Consumer<JsonState> next) {
        int longer = Whitespace.add(whitespace, b, depth);
        if (longer >= 0) {
            next.accept(new ObjectState(shape, depth, closed, others, part, value, longer, parent));
        } else if (b == '}') {
            if (mayEnd()) {
                next.accept(parent);
            }
        } else if (b == '"') {
            if ((part == Part.OPENED || part == Part.COMMA) && mayGoOn()) {
                next.accept(StringState.open(new KeyMatcher(this, shape.names().root(), "")));
            }
        } else if (b == ':') {
            if (part == Part.KEY && value != null) {
                next.accept(new ValueState(value, depth, Whitespace.NONE, with(Part.VALUE, null)));
            }
        } else if (b == ',' && part == Part.VALUE && mayGoOn()) {
            next.accept(with(Part.COMMA, null));
        }
    }

    private boolean mayEnd() {
        return (part == Part.OPENED || part == Part.VALUE)
                && shape.required().stream().allMatch(closed::get);
    }

    /** Whether a further property may come. */
    private boolean mayGoOn() {
        return mayHaveOthers() || closed.nextClearBit(0) < shape.names().names().size();
    }

    /** Whether properties without a number may come. */
    boolean mayHaveOthers() {
        return shape.others().fits(depth);
    }

    private ObjectState with(Part newPart, @Nullable ValueRule newValue) {
        return new ObjectState(shape, depth, closed, others, newPart, newValue, Whitespace.NONE, parent);
    }

    /** After the key of the property with that number; null if it may not come. */
    @Nullable
    JsonState afterKey(int name) {
        if (closed.get(name)) {
            return null;
        }
        BitSet more = (BitSet) closed.clone();
        more.set(name);
        return new ObjectState(shape, depth, more, others, Part.KEY, shape.value(name), Whitespace.NONE, parent);
    }

    /** After the key of a property without a number; null if it may not come. */
    @Nullable
    JsonState afterKey(String name) {
        if (!mayHaveOthers() || others.contains(name)) {
            return null;
        }
        Set<String> more = new HashSet<>(others);
        more.add(name);
        return new ObjectState(shape, depth, closed, more, Part.KEY, shape.others(), Whitespace.NONE, parent);
    }
}
