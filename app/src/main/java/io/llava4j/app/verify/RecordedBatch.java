package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The input of a recorded case without its padding.
 *
 * @param ids token ids of each sequence, {@link Prompt#IMAGE_TOKEN_INDEX} for an image
 * @param labels a label for each id; null where the case has none
 * @param pixels every recorded image
 * @param images indices of the images that the sequences show, in order; the others are dummies of sequences without an image
 *     (docs/reference/model.md#splice, step 5)
 */
record RecordedBatch(List<int[]> ids, @Nullable List<int[]> labels, List<PreparedImage> pixels, List<Integer> images) {

    /**
     * Reads {@code input_ids}, {@code labels}, {@code attention_mask} and {@code pixel_values}.
     *
     * @param prefix before each of these names
     * @throws DataException if the shapes or the number of images do not fit each other
     */
    static RecordedBatch read(Map<String, TensorEntry> tensors, String prefix) {
        List<PreparedImage> pixels = images(tensors.get(prefix + "pixel_values"));
        return of(tensors, prefix, pixels);
    }

    /**
     * Reads the inputs of a case, and the images that it holds or names.
     *
     * @param config of the model that reads them
     * @throws DataException as {@link #read(Map, String)}
     */
    static RecordedBatch read(SafeTensors file, LlavaConfig config) {
        return RecordedTiles.areNamed(file)
                ? of(file.tensors(), "", RecordedTiles.read(file, config))
                : read(file.tensors(), "");
    }

    private static RecordedBatch of(Map<String, TensorEntry> tensors, String prefix, List<PreparedImage> pixels) {
        TensorEntry inputIds = tensors.get(prefix + "input_ids");
        if (inputIds == null || inputIds.shape().length != 2) {
            throw new DataException("%sinput_ids [batch, tokens] is missing".formatted(prefix));
        }
        int batch = Math.toIntExact(inputIds.shape()[0]);
        int width = Math.toIntExact(inputIds.shape()[1]);
        RealTokens real = RealTokens.of(tensors.get(prefix + "attention_mask"), batch, width);
        List<int[]> ids = real.pick(inputIds.toLongs());
        TensorEntry labels = tensors.get(prefix + "labels");
        return new RecordedBatch(ids, labels == null ? null : pick(labels, real), pixels, placed(ids, pixels.size()));
    }

    /** The images that are used, as many as there are placeholders. */
    List<PreparedImage> placedPixels() {
        return images.stream().map(pixels::get).toList();
    }

    private static List<int[]> pick(TensorEntry labels, RealTokens real) {
        if (labels.elements() != (long) real.columns().size() * real.width()) {
            throw new DataException(
                    "%s has %d values, not one per token id".formatted(labels.name(), labels.elements()));
        }
        return real.pick(labels.toLongs());
    }

    private static List<PreparedImage> images(@Nullable TensorEntry stored) {
        if (stored == null || stored.elements() == 0) {
            return List.of();
        }
        float[] all = stored.toFloats();
        int count = Math.toIntExact(stored.shape()[0]);
        int each = all.length / count;
        return IntStream.range(0, count)
                .mapToObj(i -> PreparedImage.of(Arrays.copyOfRange(all, i * each, (i + 1) * each)))
                .toList();
    }

    private static List<Integer> placed(List<int[]> ids, int images) {
        int placeholders = ids.stream().mapToInt(RecordedBatch::images).sum();
        long imageless = ids.stream().filter(sequence -> images(sequence) == 0).count();
        boolean dummies = images == placeholders + imageless && images > placeholders;
        if (placeholders != images && !dummies) {
            throw new DataException("%d images are recorded for %d placeholders".formatted(images, placeholders));
        }
        List<Integer> placed = new ArrayList<>();
        int next = 0;
        for (int[] sequence : ids) {
            int own = images(sequence);
            for (int i = 0; i < own; i++) {
                placed.add(next++);
            }
            next += own == 0 && dummies ? 1 : 0;
        }
        return placed;
    }

    private static int images(int[] sequence) {
        return (int) Arrays.stream(sequence)
                .filter(id -> id == Prompt.IMAGE_TOKEN_INDEX)
                .count();
    }
}
