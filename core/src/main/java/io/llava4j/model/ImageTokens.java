package io.llava4j.model;

import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
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

    /**
     * Images whose features are arranged in an order of their own.
     *
     * @param features of all views of all images, {@code [views, features, hidden]}
     * @param orders of each image
     * @param rowEnd the row-end token, {@code [hidden]}; null for a model without one
     */
    static ImageTokens arranged(Tensor features, List<FeatureOrder> orders, @Nullable Tensor rowEnd) {
        long perView = features.size(1);
        long hidden = features.size(2);
        long rowEndAt = features.size(0) * perView;
        LongStream.Builder index = LongStream.builder();
        int[] counts = new int[orders.size()];
        long first = 0;
        for (int i = 0; i < counts.length; i++) {
            FeatureOrder order = orders.get(i);
            counts[i] = order.tokens(Math.toIntExact(perView));
            for (int token = 0; token < counts[i]; token++) {
                int source = order.isOneView() ? token : order.sources()[token];
                index.add(source == FeatureOrder.ROW_END ? rowEndAt : first + source);
            }
            first += order.views() * perView;
        }
        long[] sources = index.build().toArray();
        Tensor all = features.reshape(rowEndAt, hidden);
        Tensor table = rowEnd == null
                ? all
                : Tensors.cat(
                        0,
                        all,
                        rowEnd.to(features.device(), features.scalar_type()).view(1, hidden));
        Tensor at = Tensors.of(sources, sources.length).to(features.device(), torch.ScalarType.Long);
        return new ImageTokens(table.index_select(0, at), counts);
    }

    /** Images with the same number of tokens each, {@code [images, tokens, hidden]}. */
    public static ImageTokens ofEqual(Tensor tokens) {
        int[] counts = new int[Math.toIntExact(tokens.size(0))];
        Arrays.fill(counts, Math.toIntExact(tokens.size(1)));
        return new ImageTokens(tokens.reshape(tokens.size(0) * tokens.size(1), tokens.size(2)), counts);
    }
}
