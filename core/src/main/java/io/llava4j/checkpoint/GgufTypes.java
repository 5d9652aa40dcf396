package io.llava4j.checkpoint;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Which type each tensor of a GGUF model gets.
 *
 * <p>llama.cpp keeps vectors and positions in F32, and the patch convolution in F32 or F16. The LM head, or the embedding
 * table that is tied to it, never gets four bits, because its errors reach the logits directly: Q8_0 with Q4_0, Q6_K with
 * Q4_K_M. Q4_K_M also gives Q6_K to the value and down projections of the blocks that llama.cpp chooses
 * (<a href="https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp">llama-quant.cpp</a>). Matrices whose
 * rows are not whole blocks of 256 get Q8_0 instead, and F16 if they are not whole blocks of 32 either.
 *
 * @param languageModel type of the language model's matrices
 * @param visionTower type of the tower's matrices
 * @param projector type of the projector's matrices
 */
public record GgufTypes(Precision languageModel, Precision visionTower, Precision projector) {
    /** One type for all; with a quantised one, tower and projector are F16. */
    public static GgufTypes of(Precision precision) {
        Precision images = precision.isQuantised() ? Precision.F16 : precision;
        return new GgufTypes(precision, images, images);
    }

    /** The type of a tensor that is {@code tensor} in the source. */
    BlockFormat of(TensorEntry tensor, TextConfig text) {
        return of(tensor.name(), tensor.shape(), text);
    }

    /**
     * The type of a tensor.
     *
     * @param name canonical
     * @param shape sizes, outermost first
     * @param text configuration of the language model
     */
    public BlockFormat of(String name, long[] shape, TextConfig text) {
        return fitting(name, shape, wanted(name, text));
    }

    private BlockFormat wanted(String name, TextConfig text) {
        if (name.startsWith(CanonicalNames.TOWER)) {
            return visionTower.format();
        }
        return name.startsWith(CanonicalNames.PROJECTOR) ? projector.format() : languageModelType(name, text);
    }

    /** A sentence about the matrices that get another type because their rows are not whole blocks; empty if none do. */
    public Optional<String> fallbacks(Checkpoint source) {
        TextConfig text = source.config().text();
        Map<BlockFormat, Integer> counts = new EnumMap<>(BlockFormat.class);
        int blockSize = 0;
        for (TensorEntry tensor : source.tensors().values()) {
            BlockFormat wanted = wanted(tensor.name(), text);
            if (isMatrix(tensor.name(), tensor.shape()) && tensor.shape()[1] % wanted.blockSize() != 0) {
                counts.merge(of(tensor, text), 1, Integer::sum);
                blockSize = Math.max(blockSize, wanted.blockSize());
            }
        }
        return counts.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "the rows of some matrices are no multiples of %d, so that they are stored in another type: %s"
                                .formatted(
                                        blockSize,
                                        counts.entrySet().stream()
                                                .map(entry -> entry.getValue() + " in " + entry.getKey())
                                                .collect(Collectors.joining(", "))));
    }

    private BlockFormat languageModelType(String name, TextConfig text) {
        String head = text.tieWordEmbeddings() ? CanonicalNames.EMBED_TOKENS : CanonicalNames.LM_HEAD;
        return switch (languageModel) {
            case Q4_0 -> name.equals(head) ? BlockFormat.Q8_0 : BlockFormat.Q4_0;
            case Q4_K_M -> name.equals(head) || getsMoreBits(name, text.layers()) ? BlockFormat.Q6_K : BlockFormat.Q4_K;
            default -> languageModel.format();
        };
    }

    /** llama.cpp's rule: the first and the last eighth of the blocks, and every third between them. */
    private static boolean getsMoreBits(String name, int layers) {
        if (!name.endsWith(".self_attn.v_proj.weight") && !name.endsWith(".mlp.down_proj.weight")) {
            return false;
        }
        String rest = name.substring(CanonicalNames.LAYERS.length());
        int layer = Integer.parseInt(rest.substring(0, rest.indexOf('.')));
        int eighth = layers / 8;
        return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
    }

    /** The wanted type, or the nearest one that a tensor of this kind and shape can have. */
    static BlockFormat fitting(String name, long[] shape, BlockFormat wanted) {
        if (shape.length > 2) {
            return wanted == BlockFormat.F16 || wanted.isQuantised() ? BlockFormat.F16 : BlockFormat.F32;
        }
        if (!isMatrix(name, shape)) {
            return BlockFormat.F32;
        }
        if (shape[1] % wanted.blockSize() == 0) {
            return wanted;
        }
        return shape[1] % BlockFormat.Q8_0.blockSize() == 0 ? BlockFormat.Q8_0 : BlockFormat.F16;
    }

    private static boolean isMatrix(String name, long[] shape) {
        return shape.length == 2 && !name.endsWith("position_embedding.weight");
    }
}
