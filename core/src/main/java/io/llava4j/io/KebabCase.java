package io.llava4j.io;

import java.util.Locale;

/** Names as recipes, options and files write them. */
public final class KebabCase {
    private KebabCase() {}

    /** The name of a constant: {@code MAX_TOKENS} becomes {@code max-tokens}. */
    public static String of(Enum<?> constant) {
        return of(constant.name());
    }

    /** A name in lower case, with dashes for underscores. */
    public static String of(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
