package io.llava4j.generate.constrain;

import org.jspecify.annotations.Nullable;

/**
 * The key of a property.
 *
 * @param object the object before the key
 * @param node where in the names that the object knows; null if the key is none of them
 * @param text the key so far
 */
record KeyMatcher(ObjectState object, NameTrie.@Nullable Node node, String text) implements TextMatcher {
    @Override
    public @Nullable TextMatcher next(int codePoint) {
        NameTrie.Node child = node == null ? null : node.child(codePoint);
        boolean possible = object.mayHaveOthers() || child != null && isOpen(child);
        return possible ? new KeyMatcher(object, child, text + Character.toString(codePoint)) : null;
    }

    @Override
    public boolean allowsAny(int from, int to) {
        return object.mayHaveOthers()
                || node != null && node.children(from, to).stream().anyMatch(this::isOpen);
    }

    /** Whether a property whose name begins so may come. */
    private boolean isOpen(NameTrie.Node beginning) {
        return object.closed().nextClearBit(beginning.first()) < beginning.end();
    }

    @Override
    public @Nullable JsonState end() {
        return node != null && node.name() >= 0 ? object.afterKey(node.name()) : object.afterKey(text);
    }

    /** Every text becomes a new name when it goes on. */
    @Override
    public int freeCharacters() {
        return object.mayHaveOthers() ? Integer.MAX_VALUE : 0;
    }
}
