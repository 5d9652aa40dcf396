package io.llava4j.model;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What the language model reads of some images. Images may have different numbers of tokens.
 *
 * @param packed tokens of all images one after the other, {@code [sum of counts, hidden]}; null where there are no images
 * @param counts tokens of each image
 */
public record ImageTokens(@Nullable Tensor packed, int[] counts) {
    /** No images. */
    public static final ImageTokens NONE = new ImageTokens(null, new int[0]);

    /** Images with the same number of tokens each, {@code [images, tokens, hidden]}. */
    public static ImageTokens ofEqual(Tensor tokens) {
        int[] counts = new int[Math.toIntExact(tokens.size(0))];
        Arrays.fill(counts, Math.toIntExact(tokens.size(1)));
        return new ImageTokens(tokens.reshape(tokens.size(0) * tokens.size(1), tokens.size(2)), counts);
    }
}
