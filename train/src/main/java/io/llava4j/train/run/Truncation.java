package io.llava4j.train.run;

/**
 * What was cut off the end of samples that are longer than {@code data.max-length}.
 *
 * @param samples that lost something
 * @param tokens they lost, image rows included
 */
public record Truncation(int samples, long tokens) {
    /** Nothing was cut. */
    public static final Truncation NONE = new Truncation(0, 0);

    /** Together with another sample, which lost so many tokens. */
    public Truncation plus(long lost) {
        return lost == 0 ? this : new Truncation(samples + 1, tokens + lost);
    }

    /** Both together. */
    public Truncation plus(Truncation other) {
        return new Truncation(samples + other.samples, tokens + other.tokens);
    }
}
