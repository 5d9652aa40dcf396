package io.llava4j.train.run;

/**
 * What was cut off the end of samples that are longer than {@code data.max-length}.
 *
 * @param samples that lost something
 * @param tokens they lost, image rows included
 */
public record Cut(int samples, long tokens) {
    /** Nothing was cut. */
    public static final Cut NONE = new Cut(0, 0);

    /** Together with another sample, which lost so many tokens. */
    Cut plus(long lost) {
        return lost == 0 ? this : new Cut(samples + 1, tokens + lost);
    }

    /** Both together. */
    public Cut plus(Cut other) {
        return new Cut(samples + other.samples, tokens + other.tokens);
    }
}
