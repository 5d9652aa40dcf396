package io.llava4j.generate.constrain;

import java.util.function.Consumer;

/** Strings that are given, or of a length. */
sealed interface TextShape extends Shape {
    /** What the string's characters may be. */
    TextMatcher matcher(JsonState parent);

    /** Whether a text is one of the strings. */
    boolean allows(String text);

    @Override
    default void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
        if (b == '"') {
            next.accept(StringState.open(matcher(parent)));
        }
    }

    /**
     * Strings of a length.
     *
     * @param min fewest characters
     * @param max most characters
     */
    record Length(int min, int max) implements TextShape {
        @Override
        public TextMatcher matcher(JsonState parent) {
            return new TextMatcher.Length(min, max, parent);
        }

        @Override
        public boolean allows(String text) {
            int length = text.codePointCount(0, text.length());
            return length >= min && length <= max;
        }

        @Override
        public int levels() {
            return min <= max ? 0 : UNREACHABLE;
        }
    }

    /**
     * Given strings.
     *
     * @param names the strings
     */
    record OneOf(NameTrie names) implements TextShape {
        @Override
        public TextMatcher matcher(JsonState parent) {
            return new TextMatcher.OneOf(names.root(), parent);
        }

        @Override
        public boolean allows(String text) {
            return names.names().contains(text);
        }
    }
}
