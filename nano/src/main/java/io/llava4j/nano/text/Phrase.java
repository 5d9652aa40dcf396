package io.llava4j.nano.text;

import io.llava4j.nano.world.Drawings;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The same words in English and Chinese. */
public record Phrase(String english, String chinese) {
    private static final Map<String, String> CHINESE = read();

    /** Words that are the same in both, such as a number. */
    public static Phrase same(String words) {
        return new Phrase(words, words);
    }

    /** A name of a category, color, place or kind. */
    public static Phrase of(String english) {
        return new Phrase(english, Objects.requireNonNull(CHINESE.get(english), () -> "no Chinese for " + english));
    }

    private static Map<String, String> read() {
        return new String(Drawings.bytes("chinese.tsv"), StandardCharsets.UTF_8)
                .lines()
                .skip(1)
                .map(line -> line.split("\t", -1))
                .collect(Collectors.toUnmodifiableMap(row -> row[0], row -> row[1]));
    }
}
