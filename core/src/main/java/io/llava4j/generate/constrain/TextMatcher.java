package io.llava4j.generate.constrain;

import org.jspecify.annotations.Nullable;

/** What the characters of a string may still be. Immutable. */
interface TextMatcher {
    /** After a further character; null if it may not come. */
    @Nullable
    TextMatcher next(int codePoint);

    /** Whether one of the characters between two may come next. */
    boolean allowsAny(int from, int to);

    /** The state after the string's end; null if it may not end here. */
    @Nullable
    JsonState end();

    /** Exactly so many characters may follow, whatever they are; 0 if that depends on the characters. */
    int freeCharacters();

    /**
     * Any characters.
     *
     * @param min fewest that have to follow
     * @param max most that may follow
     * @param parent the state after the string
     */
    record Length(int min, int max, JsonState parent) implements TextMatcher {
        /** No upper limit. */
        static final int UNLIMITED = Integer.MAX_VALUE;

        @Override
        public @Nullable TextMatcher next(int codePoint) {
            if (min == 0 && max == UNLIMITED) {
                return this;
            }
            return max == 0 ? null : new Length(Math.max(0, min - 1), max == UNLIMITED ? max : max - 1, parent);
        }

        @Override
        public boolean allowsAny(int from, int to) {
            return max > 0;
        }

        @Override
        public @Nullable JsonState end() {
            return min == 0 ? parent : null;
        }

        @Override
        public int freeCharacters() {
            return max;
        }
    }

    /**
     * One of given texts.
     *
     * @param node where in them
     * @param parent the state after the string
     */
    record OneOf(NameTrie.Node node, JsonState parent) implements TextMatcher {
        @Override
        public @Nullable TextMatcher next(int codePoint) {
            NameTrie.Node child = node.child(codePoint);
            return child == null ? null : new OneOf(child, parent);
        }

        @Override
        public boolean allowsAny(int from, int to) {
            return !node.children(from, to).isEmpty();
        }

        @Override
        public @Nullable JsonState end() {
            return node.name() >= 0 ? parent : null;
        }

        @Override
        public int freeCharacters() {
            return 0;
        }
    }
}
