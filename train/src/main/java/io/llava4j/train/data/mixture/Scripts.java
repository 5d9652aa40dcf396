package io.llava4j.train.data.mixture;

import java.lang.Character.UnicodeScript;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Detects a language by its script; languages in Latin letters are not distinguished. */
final class Scripts {
    static final List<String> LANGUAGES = List.of("ko", "ja", "zh", "ru", "ar", "he", "el", "hi", "th");

    private static final Map<UnicodeScript, String> LANGUAGE_OF = Map.of(
            UnicodeScript.HANGUL, "ko",
            UnicodeScript.HIRAGANA, "ja",
            UnicodeScript.KATAKANA, "ja",
            UnicodeScript.HAN, "zh",
            UnicodeScript.CYRILLIC, "ru",
            UnicodeScript.ARABIC, "ar",
            UnicodeScript.HEBREW, "he",
            UnicodeScript.GREEK, "el",
            UnicodeScript.DEVANAGARI, "hi",
            UnicodeScript.THAI, "th");

    private Scripts() {}

    /** The language of most letters of a text; "latin" if none is of a known script. */
    static String language(String text) {
        Map<UnicodeScript, Integer> counts = new EnumMap<>(UnicodeScript.class);
        text.codePoints()
                .filter(Character::isLetter)
                .forEach(letter -> counts.merge(UnicodeScript.of(letter), 1, Integer::sum));
        // Japanese uses Chinese characters, too, but never without kana.
        int kana = counts.getOrDefault(UnicodeScript.HIRAGANA, 0) + counts.getOrDefault(UnicodeScript.KATAKANA, 0);
        if (kana > 0 && kana >= counts.getOrDefault(UnicodeScript.HAN, 0) / 10) {
            counts.merge(UnicodeScript.HIRAGANA, counts.getOrDefault(UnicodeScript.HAN, 0), Integer::sum);
            counts.remove(UnicodeScript.HAN);
        }
        return counts.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(most -> LANGUAGE_OF.getOrDefault(most.getKey(), "latin"))
                .orElse("latin");
    }
}
