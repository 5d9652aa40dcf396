package io.llava4j.checkpoint;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.io.Scratch;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;

/**
 * Appends {@code <image>} and {@code <pad>} to LLaMA's vocabulary, as llava-hf models have them
 * (docs/reference/model.md#image-token-in-transformers). The new rows of both tables are the mean of the old rows, which is
 * how LLaVA adds tokens (docs/reference/model.md#added-tokens); neither token is ever looked up or generated.
 */
final class EmbeddingResize {
    /** The number of rows in llava-hf's tables is a multiple of this. */
    private static final int MULTIPLE = 64;

    private final Scratch scratch = new Scratch();

    /**
     * The configuration with an image token; the same if it has one.
     *
     * @param vocabulary of the tokenizer; the new tokens follow it
     */
    static LlavaConfig withImageToken(LlavaConfig config, int vocabulary) {
        if (config.imageTokenId() >= 0) {
            return config;
        }
        TextConfig text = config.text();
        int needed = vocabulary + 2;
        int rows = needed <= text.vocabSize() ? text.vocabSize() : Math.ceilDiv(needed, MULTIPLE) * MULTIPLE;
        return config.withText(text.withVocabSize(rows).withPadTokenId(vocabulary + 1))
                .withImageTokenId(vocabulary);
    }

    /** The embedding table and the LM head get {@code rows} rows; every other tensor stays as it is. */
    TensorSource resized(TensorSource tensor, int rows) {
        boolean table = tensor.name().equals(CanonicalNames.EMBED_TOKENS)
                || tensor.name().equals(CanonicalNames.LM_HEAD);
        if (!table || tensor.shape()[0] == rows) {
            return tensor;
        }
        long[] shape = {rows, tensor.shape()[1]};
        return new TensorSource(tensor.name(), tensor.dtype(), shape, () -> withMeanRows(tensor, rows));
    }

    private MemorySegment withMeanRows(TensorSource tensor, int rows) {
        MemorySegment old = tensor.data().get();
        int width = Math.toIntExact(tensor.shape()[1]);
        long rowBytes = (long) width * tensor.dtype().bytes();
        BlockFormat type = BlockFormat.of(tensor.dtype()).orElseThrow();
        MemorySegment resized = scratch.take(rows * rowBytes);
        MemorySegment.copy(old, 0, resized, 0, old.byteSize());
        float[] row = new float[width];
        double[] sum = new double[width];
        MemorySegment rowSegment = MemorySegment.ofArray(row);
        for (long i = 0; i < tensor.shape()[0]; i++) {
            TensorCast.cast(type, old.asSlice(i * rowBytes, rowBytes), width, BlockFormat.F32, rowSegment);
            for (int j = 0; j < width; j++) {
                sum[j] += row[j];
            }
        }
        for (int j = 0; j < width; j++) {
            row[j] = (float) (sum[j] / tensor.shape()[0]);
        }
        for (long i = tensor.shape()[0]; i < rows; i++) {
            TensorCast.cast(BlockFormat.F32, rowSegment, width, type, resized.asSlice(i * rowBytes, rowBytes));
        }
        return resized;
    }
}
