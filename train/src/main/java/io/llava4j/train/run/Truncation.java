package io.llava4j.train.run;

/**
 * What samples lost that are longer than {@code data.max-length}.
 *
 * @param samples number of truncated samples
 * @param tokens tokens that they lost at their ends, image tokens included
 */
public record Truncation(int samples, long tokens) {
    /** No sample was truncated. */
    public static final Truncation NONE = new Truncation(0, 0);

    /** Adds a sample that lost {@code lost} tokens. */
    public Truncation plus(long lost) {
        return lost == 0 ? this : new Truncation(samples + 1, tokens + lost);
    }

    /** The sum of both. */
    public Truncation plus(Truncation other) {
        return new Truncation(samples + other.samples, tokens + other.tokens);
    }
}
