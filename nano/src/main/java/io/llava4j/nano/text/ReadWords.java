package io.llava4j.nano.text;

import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.List;

/** What an OCR system reads from a sign. Like a real one, it sometimes misreads a letter or misses the word. */
public final class ReadWords {
    private static final double MISREAD = 0.2;
    private static final double UNREAD = 0.1;

    private ReadWords() {}

    /**
     * The words read, one or none.
     *
     * @param word on the sign, in upper case
     */
    public static List<String> of(String word, SplitMix64 random) {
        if (random.chance(UNREAD)) {
            return List.of();
        }
        StringBuilder read = new StringBuilder(word);
        if (random.chance(MISREAD)) {
            read.setCharAt(random.nextInt(word.length()), (char) ('A' + random.nextInt(26)));
        }
        return List.of(SignFont.read(read.toString()));
    }
}
