package io.llava4j.generate.schedule;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Guesses how an answer goes on: as prompt or answer went on where they last had the same tokens. The model reads the guess
 * in the same pass as the token before it, and what it would have chosen itself counts, so a wrong guess costs time only
 * (speculative decoding, arXiv:2211.17192, with the prompt in place of a smaller model). After a wrong guess less is
 * guessed, after a right one more.
 */
final class PromptLookup {
    /** Tokens that have to be the same. Longer ones are tried first. */
    private static final int LONGEST = 3;

    private static final int SHORTEST = 2;

    private static final int[] NOTHING = {};

    /** Tokens of the first guess: reading that many more costs next to nothing. */
    private static final int FIRST = 3;

    private final int most;
    private int next;

    /** @param most tokens of a guess */
    PromptLookup(int most) {
        this.most = most;
        this.next = Math.min(most, FIRST);
    }

    /** Whether anything is guessed at all. */
    boolean guesses() {
        return most > 0;
    }

    /**
     * Tokens that may follow.
     *
     * @param keys of prompt and answer, below zero for image tokens
     * @param room for tokens
     */
    int[] guess(long[] keys, int room) {
        int count = Math.min(next, room);
        for (int same = LONGEST; same >= SHORTEST && count > 0; same--) {
            int from = after(keys, same);
            if (from > 0 && keys[from] >= 0) {
                return continuation(keys, from, count);
            }
        }
        return NOTHING;
    }

    /** The text tokens from there on; after the last one they begin again, as they do in a loop. */
    private static int[] continuation(long[] keys, int from, int count) {
        return IntStream.range(0, count)
                .mapToLong(i -> keys[from + i % (keys.length - from)])
                .takeWhile(key -> key >= 0)
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    /** Position after the last earlier occurrence of the last tokens; 0 if there is none. */
    private static int after(long[] keys, int same) {
        int last = keys.length - same;
        for (int at = last - 1; at >= 0; at--) {
            if (Arrays.equals(keys, at, at + same, keys, last, keys.length)) {
                return at + same;
            }
        }
        return 0;
    }

    /** Learns how many tokens of the last guess were right. */
    void learn(int guessed, int right) {
        if (guessed > 0) {
            next = right == guessed ? Math.min(most, 2 * next) : Math.max(1, right);
        }
    }
}
