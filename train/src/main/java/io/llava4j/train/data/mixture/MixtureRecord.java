package io.llava4j.train.data.mixture;

import java.io.Serializable;

/**
 * A finished conversation of a mixture.
 *
 * @param json LLaVA's JSON object in UTF-8, without line breaks
 * @param key a well-mixed number of its own, by which order and sample are drawn
 * @param pairs questions with answers
 * @param hasImage whether it has an image
 */
public record MixtureRecord(byte[] json, long key, int pairs, boolean hasImage) implements Serializable {
    /** What a shuffled mixture is ordered by; equal numbers keep the source's order. */
    public long order() {
        return order(key);
    }

    /** Of too many records of a source those with the least of these numbers are kept. */
    public long draw() {
        return draw(key);
    }

    static long order(long key) {
        return KeyedRandom.mix(key);
    }

    /** Another number than the order's, or a sample would always come first. */
    static long draw(long key) {
        return KeyedRandom.mix(~key);
    }
}
