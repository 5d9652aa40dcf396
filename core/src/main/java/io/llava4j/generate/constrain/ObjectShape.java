package io.llava4j.generate.constrain;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Objects. A property occurs once at most; their order is free. */
final class ObjectShape implements Shape {
    private final Map<String, ValueRule> properties;
    private final Set<String> requiredNames;
    private final NameTrie names;
    private final List<ValueRule> values;
    private final BitSet required = new BitSet();
    private final ValueRule others;

    /**
     * Objects.
     *
     * @param properties what the named properties may be
     * @param required names among them
     * @param others what other properties may be
     */
    ObjectShape(Map<String, ValueRule> properties, Set<String> required, ValueRule others) {
        this.properties = Map.copyOf(properties);
        this.requiredNames = Set.copyOf(required);
        this.names = new NameTrie(properties.keySet());
        this.values = names.names().stream().map(properties::get).toList();
        this.others = others;
        for (int i = 0; i < values.size(); i++) {
            this.required.set(i, required.contains(names.names().get(i)));
        }
    }

    NameTrie names() {
        return names;
    }

    /** What the property of that number may be. */
    ValueRule value(int name) {
        return values.get(name);
    }

    /** What the property of that name may be. */
    ValueRule value(String name) {
        return properties.getOrDefault(name, others);
    }

    /** Names of the properties that may not be missing. */
    Set<String> requiredNames() {
        return requiredNames;
    }

    /** Numbers of the properties that may not be missing. */
    BitSet required() {
        return required;
    }

    /** What properties without a number may be. */
    ValueRule others() {
        return others;
    }

    @Override
    public void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
        if (b == '{') {
            BitSet closed = new BitSet();
            for (int i = 0; i < values.size(); i++) {
                closed.set(i, !values.get(i).fits(depth + 1));
            }
            next.accept(new ObjectState(
                    this, depth + 1, closed, Set.of(), ObjectState.Part.OPENED, null, Whitespace.NONE, parent));
        }
    }

    @Override
    public int levels() {
        int levels = 1;
        for (int i = required.nextSetBit(0); i >= 0; i = required.nextSetBit(i + 1)) {
            levels = Math.max(levels, values.get(i).levels() + 1);
        }
        return Math.min(levels, UNREACHABLE);
    }
}
