package io.llava4j.image.tile;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Which features of its views make an image's tokens, in order (docs/reference/preprocessing.md#anyres).
 *
 * @param views squares of the vision tower's size that the image is given as
 * @param sources for each token, the index of its feature among those of all views, or {@link #ROW_END}; empty where the tokens
 *     are all features of the only view as they are
 */
public record FeatureOrder(int views, int[] sources) {
    /** Stands for the row-end token, which the model has learnt. */
    public static final int ROW_END = -1;

    /** All features of an only view, as in LLaVA-1.5. */
    public static final FeatureOrder ONE_VIEW = new FeatureOrder(1, new int[0]);

    /**
     * All features of an only view, and a row-end token after them: an image that a model with row-end tokens sees undivided.
     *
     * @param perView features of a view
     */
    public static FeatureOrder oneViewWithRowEnd(int perView) {
        int[] sources = IntStream.rangeClosed(0, perView).toArray();
        sources[perView] = ROW_END;
        return new FeatureOrder(1, sources);
    }

    /** Whether the tokens are all features of the only view. */
    public boolean isOneView() {
        return sources.length == 0;
    }

    /**
     * Number of tokens.
     *
     * @param perView features of a view
     */
    public int tokens(int perView) {
        return isOneView() ? perView : sources.length;
    }

    /**
     * Tokens of an image.
     *
     * @param features of all views, {@code [views * perView, width]}
     * @param width of a feature
     * @param rowEnd the row-end token, {@code [width]}; empty for a model without one
     * @return {@code [tokens, width]}
     */
    public float[] arrange(float[] features, int width, float[] rowEnd) {
        if (isOneView()) {
            return features;
        }
        float[] tokens = new float[Math.multiplyExact(sources.length, width)];
        for (int i = 0; i < sources.length; i++) {
            boolean ends = sources[i] == ROW_END;
            System.arraycopy(ends ? rowEnd : features, ends ? 0 : sources[i] * width, tokens, i * width, width);
        }
        return tokens;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FeatureOrder order && views == order.views && Arrays.equals(sources, order.sources);
    }

    @Override
    public int hashCode() {
        return 31 * views + Arrays.hashCode(sources);
    }
}
