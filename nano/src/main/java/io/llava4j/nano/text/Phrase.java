package io.llava4j.nano.text;

import io.llava4j.nano.world.Drawings;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A phrase in English and Chinese. */
public record Phrase(String english, String chinese) {
    private static final Map<String, String> CHINESE = read();

    /** A phrase that is the same in both languages, such as a number. */
    public static Phrase same(String words) {
        return new Phrase(words, words);
    }

    /** The name of a category, color, place or kind, given in English. */
    public static Phrase of(String english) {
        return new Phrase(english, Objects.requireNonNull(CHINESE.get(english), () -> "no Chinese for " + english));
    }

    /** Every name in Chinese with its English; of those that are the same in Chinese the first in the alphabet. */
    public static Map<String, String> englishByChinese() {
        return CHINESE.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getValue, Map.Entry::getKey, (a, b) -> a.compareTo(b) < 0 ? a : b, TreeMap::new));
    }

    private static Map<String, String> read() {
        return new String(Drawings.bytes("chinese.tsv"), StandardCharsets.UTF_8)
                .lines()
                .skip(1)
                .map(line -> line.split("\t", -1))
                .collect(Collectors.toUnmodifiableMap(row -> row[0], row -> row[1]));
    }
}
