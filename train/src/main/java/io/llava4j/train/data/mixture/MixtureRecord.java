package io.llava4j.train.data.mixture;

import java.io.Serializable;

/**
 * A finished conversation of a mixture.
 *
 * @param json LLaVA's JSON object in UTF-8, without line breaks
 * @param key a random number of its own, which decides order and sample
 * @param pairs of question and answer
 * @param hasImage whether it has an image
 */
public record MixtureRecord(byte[] json, long key, int pairs, boolean hasImage) implements Serializable {
    /** The number that a shuffled mixture is sorted by; equal numbers keep the source's order. */
    public long order() {
        return order(key);
    }

    /** The number that decides a sample: the records of a source with the smallest ones are kept. */
    public long draw() {
        return draw(key);
    }

    static long order(long key) {
        return KeyedRandom.mix(key);
    }

    /** Independent of {@link #order}; otherwise a sample would come first in the mixture. */
    static long draw(long key) {
        return KeyedRandom.mix(~key);
    }
}
