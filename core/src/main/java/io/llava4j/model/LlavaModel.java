package io.llava4j.model;

import io.llava4j.DataException;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.Prompt;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * LLaVA-1.5: tower, projector and decoder, and the splice that puts image rows into the text (docs/reference/model.md#splice).
 *
 * <p>The tower runs without gradients, as it is frozen in both stages (paper, section 3.1; docs/reference/training.md#trainable-parameters).
 */
public final class LlavaModel implements AutoCloseable {
    private final LlavaConfig config;
    private final Weights weights;
    private final ClipVisionTower visionTower;
    private final Projector projector;
    private final LlamaModel languageModel;

    /**
     * Builds the network on its tensors, which it closes in the end.
     *
     * @param config shape and behaviour
     * @param weights canonical names
     */
    public LlavaModel(LlavaConfig config, Weights weights) {
        this(config, weights, null);
    }

    /**
     * As {@link #LlavaModel(LlavaConfig, Weights)}, with adapters of the decoder to be trained.
     *
     * @param lora of the adapters, whose tensors are among the weights; null where there are none
     */
    public LlavaModel(LlavaConfig config, Weights weights, @Nullable LoraConfig lora) {
        this.config = config;
        this.weights = weights;
        this.visionTower = new ClipVisionTower(config.vision(), weights);
        this.projector = new Projector(config.projectorType(), weights);
        this.languageModel = new LlamaModel(config.text(), weights, lora);
    }

    /** Shape and behaviour. */
    public LlavaConfig config() {
        return config;
    }

    /** The tensors by canonical name. */
    public Weights weights() {
        return weights;
    }

    /** The tower. */
    public ClipVisionTower visionTower() {
        return visionTower;
    }

    /** The projector. */
    public Projector projector() {
        return projector;
    }

    /** The decoder. */
    public LlamaModel languageModel() {
        return languageModel;
    }

    /**
     * Token ids, image rows and labels of a batch as one padded tensor.
     *
     * @param embeds {@code [batch, longest, hidden]}; rows behind a sequence's end are zero
     * @param lengths real tokens of each row
     * @param labels {@code [batch][longest]}; {@link Prompt#IGNORE_INDEX} on images, padding and unsupervised text
     */
    public record Spliced(Tensor embeds, int[] lengths, int[][] labels) {}

    /**
     * Selected tower features of images, without gradients unless the tower learns:
     * {@code [n, 3, size, size] -> [n, patches, vision hidden]}.
     */
    public Tensor visionFeatures(Tensor pixels) {
        if (visionTower.isTrainable()) {
            return visionTower.features(pixels, config.selectLayer(), config.keepCls());
        }
        try (NoGradGuard frozen = new NoGradGuard()) {
            return visionTower.features(pixels, config.selectLayer(), config.keepCls());
        }
    }

    /** Image rows for the decoder: {@code [n, 3, size, size] -> [n, patches, text hidden]}. */
    public Tensor imageRows(Tensor pixels) {
        return projector.forward(visionFeatures(pixels));
    }

    /**
     * Replaces every image placeholder by the rows of its image; images are used up in order.
     *
     * @param ids token ids of each row, {@link Prompt#IMAGE_TOKEN_INDEX} for an image
     * @param labels a label for each id, or null where nothing is trained
     * @param imageRows {@code [images, rows, hidden]}, or null if there are no placeholders
     * @throws DataException if placeholders and images do not match in number
     */
    public Spliced splice(List<int[]> ids, @Nullable List<int[]> labels, @Nullable Tensor imageRows) {
        int images = imageRows == null ? 0 : Math.toIntExact(imageRows.size(0));
        int perImage = imageRows == null ? 0 : Math.toIntExact(imageRows.size(1));
        int placeholders = 0;
        int texts = 0;
        for (int[] row : ids) {
            for (int id : row) {
                if (id == Prompt.IMAGE_TOKEN_INDEX) {
                    placeholders++;
                } else {
                    texts++;
                }
            }
        }
        if (placeholders != images) {
            throw new DataException("the prompts have " + placeholders + " image placeholders for " + images
                    + " images; give one image for each");
        }

        // One table holds all text rows, then all image rows, then a zero row; the splice is a single lookup in it.
        long[] textIds = new long[texts];
        int batch = ids.size();
        int[] lengths = new int[batch];
        for (int row = 0; row < batch; row++) {
            int length = 0;
            for (int id : ids.get(row)) {
                length += id == Prompt.IMAGE_TOKEN_INDEX ? perImage : 1;
            }
            lengths[row] = config.maxSequenceLength() > 0 ? Math.min(length, config.maxSequenceLength()) : length;
        }
        int longest = Arrays.stream(lengths).max().orElse(0);
        int zeroRow = texts + images * perImage;
        long[] table = new long[batch * longest];
        Arrays.fill(table, zeroRow);
        int[][] splicedLabels = new int[batch][longest];
        int text = 0;
        int image = 0;
        for (int row = 0; row < batch; row++) {
            Arrays.fill(splicedLabels[row], Prompt.IGNORE_INDEX);
            int at = 0;
            int[] rowIds = ids.get(row);
            for (int i = 0; i < rowIds.length; i++) {
                if (rowIds[i] == Prompt.IMAGE_TOKEN_INDEX) {
                    for (int r = 0; r < perImage; r++, at++) {
                        if (at < lengths[row]) {
                            table[row * longest + at] = texts + (long) image * perImage + r;
                        }
                    }
                    image++;
                } else {
                    if (at < lengths[row]) {
                        table[row * longest + at] = text;
                        splicedLabels[row][at] = labels == null ? Prompt.IGNORE_INDEX : labels.get(row)[i];
                    }
                    textIds[text++] = rowIds[i];
                    at++;
                }
            }
        }

        Tensor like = languageModel.like();
        long hidden = config.text().hiddenSize();
        Tensor rows = languageModel.embed(Tensors.of(textIds, texts).to(like.device(), torch.ScalarType.Long));
        Tensor zero = torch.zeros(new long[] {1, hidden}, rows.options());
        Tensor all = imageRows == null
                ? Tensors.cat(0, rows, zero)
                : Tensors.cat(0, rows, imageRows.reshape((long) images * perImage, hidden), zero);
        Tensor embeds = all.index_select(0, Tensors.of(table, table.length).to(like.device(), torch.ScalarType.Long))
                .view(batch, longest, hidden);
        return new Spliced(embeds, lengths, splicedLabels);
    }

    @Override
    public void close() {
        languageModel.close();
        weights.close();
    }
}
