package io.llava4j.eval.mmmu;

import java.util.List;

/** Python's {@code random} after {@code random.seed(n)}: the Mersenne Twister MT19937 and {@code random.choice} over it. */
final class PythonRandom {
    private static final int N = 624;
    private static final int M = 397;
    private static final int UPPER = 0x80000000;
    private static final int LOWER = 0x7FFFFFFF;

    private final int[] state = new int[N];
    private int next = N;

    /** @param seed 0 or more */
    PythonRandom(int seed) {
        state[0] = 19650218;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
        int i = 1;
        for (int k = 0; k < N; k++) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1664525)) + seed;
            i = after(i);
        }
        for (int k = 0; k < N - 1; k++) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1566083941)) - i;
            i = after(i);
        }
        state[0] = UPPER;
    }

    /** The place after {@code i}; the first place takes the value of the last when the round ends. */
    private int after(int i) {
        if (i + 1 < N) {
            return i + 1;
        }
        state[0] = state[N - 1];
        return 1;
    }

    /** {@code random.choice(list)}. */
    <T> T choice(List<T> list) {
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(list.size());
        int drawn = draw() >>> (Integer.SIZE - bits);
        while (drawn >= list.size()) {
            drawn = draw() >>> (Integer.SIZE - bits);
        }
        return list.get(drawn);
    }

    private int draw() {
        if (next == N) {
            for (int i = 0; i < N; i++) {
                int y = (state[i] & UPPER) | (state[(i + 1) % N] & LOWER);
                state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908B0DF);
            }
            next = 0;
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9D2C5680;
        y ^= (y << 15) & 0xEFC60000;
        return y ^ (y >>> 18);
    }
}
