package io.llava4j.text;

import java.util.Arrays;

/**
 * Token ids with their positions in the text: {@code starts[i]} is the index of the first UTF-16 unit of token
 * {@code i}. The byte pieces of one character share its start; a dummy prefix starts where its text starts.
 *
 * @param ids token ids
 * @param starts one per id, never decreasing
 */
record Encoding(int[] ids, int[] starts) {
    int length() {
        return ids.length;
    }

    /** Builds an encoding token by token. */
    static final class Builder {
        private int[] ids = new int[16];
        private int[] starts = new int[16];
        private int length;

        void add(int id, int start) {
            if (length == ids.length) {
                ids = Arrays.copyOf(ids, 2 * length);
                starts = Arrays.copyOf(starts, 2 * length);
            }
            ids[length] = id;
            starts[length++] = start;
        }

        /** Appends the tokens of {@code part}, shifted by {@code offset} and at the earliest at {@code floor}. */
        void add(Encoding part, int offset, int floor) {
            for (int i = 0; i < part.length(); i++) {
                add(part.ids[i], Math.max(part.starts[i] + offset, floor));
            }
        }

        Encoding build() {
            return new Encoding(Arrays.copyOf(ids, length), Arrays.copyOf(starts, length));
        }
    }
}
