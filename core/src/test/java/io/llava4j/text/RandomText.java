package io.llava4j.text;

import java.util.Random;

/** Random texts of all of Unicode, without what the tokenizer documents as altered (U+2581, surrogates). */
final class RandomText {
    private static final String[] WORDS = {"cat", "the", " ", "  ", "\n", "USER:", " ASSISTANT: ", "<image", "0.25", "é"
    };

    private RandomText() {}

    static String next(Random random) {
        StringBuilder text = new StringBuilder();
        int parts = random.nextInt(12);
        for (int i = 0; i < parts; i++) {
            if (random.nextBoolean()) {
                text.append(WORDS[random.nextInt(WORDS.length)]);
            } else {
                text.appendCodePoint(codePoint(random));
            }
        }
        return text.toString();
    }

    private static int codePoint(Random random) {
        int bound = new int[] {0x80, 0x800, 0x10000, 0x110000}[random.nextInt(4)];
        int codePoint = random.nextInt(bound);
        return codePoint == 0x2581 || Character.getType(codePoint) == Character.SURROGATE ? 'x' : codePoint;
    }
}
