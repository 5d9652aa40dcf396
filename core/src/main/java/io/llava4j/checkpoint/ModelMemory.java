package io.llava4j.checkpoint;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import java.util.Locale;

/**
 * Memory that inference with a model takes on the CPU when it computes from the weights as they are stored; all sizes in
 * bytes.
 *
 * @param visionTower weights of the tower
 * @param projector weights of the projector
 * @param languageModel weights of the language model without the next two
 * @param embedding the token embedding table
 * @param head the LM head; 0 where it is tied to the embedding table
 * @param cachePerToken keys and values of one position in all blocks: in 16 bits, or in 32 if all weights of the language
 *     model have 32
 * @param towerBuffers activations of the tower for one image
 * @param prefillBuffers activations of the language model for {@value TextConfig#TOKENS_PER_PASS} tokens
 * @param process the Java virtual machine and the engine's libraries
 */
public record ModelMemory(
        long visionTower,
        long projector,
        long languageModel,
        long embedding,
        long head,
        long cachePerToken,
        long towerBuffers,
        long prefillBuffers,
        long process) {
    private static final long PROCESS = 400_000_000;
    private static final int FLOAT = 4;
    private static final int HALF = 2;

    /**
     * The memory for a checkpoint.
     *
     * @param checkpoint a whole LLaVA model; its headers are read, its weights are not
     */
    public static ModelMemory of(Checkpoint checkpoint) {
        LlavaConfig config = checkpoint.config();
        TextConfig text = config.text();
        long tower = bytes(checkpoint, CanonicalNames.TOWER);
        long projector = bytes(checkpoint, CanonicalNames.PROJECTOR);
        long embedding = bytes(checkpoint, CanonicalNames.EMBED_TOKENS);
        long head = bytes(checkpoint, CanonicalNames.LM_HEAD);
        return new ModelMemory(
                tower,
                projector,
                bytes(checkpoint, "") - tower - projector - embedding - head,
                embedding,
                head,
                2L * text.layers() * text.kvHeads() * text.headDim() * (isWide(checkpoint) ? FLOAT : HALF),
                towerBuffers(config.vision()),
                prefillBuffers(text),
                PROCESS);
    }

    private static boolean isWide(Checkpoint checkpoint) {
        return checkpoint.tensors().values().stream()
                .filter(tensor -> !tensor.name().startsWith(CanonicalNames.TOWER)
                        && !tensor.name().startsWith(CanonicalNames.PROJECTOR))
                .allMatch(tensor -> tensor.storedBytes() >= FLOAT * tensor.elements());
    }

    private static long bytes(Checkpoint checkpoint, String prefix) {
        return checkpoint.tensors().values().stream()
                .filter(tensor -> tensor.name().startsWith(prefix))
                .mapToLong(TensorEntry::storedBytes)
                .sum();
    }

    /** One block: input, result, norm, queries, keys and values, these once more as attention reads them; and the MLP. */
    private static long towerBuffers(VisionConfig vision) {
        long positions = vision.patches() + 1L;
        return positions * (9L * vision.hiddenSize() + 2L * vision.intermediateSize()) * FLOAT;
    }

    /** One block, as the tower's, with the third matrix of the MLP; and logits. */
    private static long prefillBuffers(TextConfig text) {
        long perPosition = 6L * text.hiddenSize() + 3L * text.intermediateSize();
        return (TextConfig.TOKENS_PER_PASS * perPosition + (long) TextConfig.LOGITS_PER_PASS * text.vocabSize())
                * FLOAT;
    }

    /** All weights. */
    public long weights() {
        return visionTower + projector + languageModel + embedding + head;
    }

    /** The KV cache of a sequence. */
    public long cache(long tokens) {
        return Math.multiplyExact(tokens, cachePerToken);
    }

    /** Everything besides weights and KV cache. */
    public long buffers() {
        return process + Math.max(towerBuffers, prefillBuffers);
    }

    /**
     * Everything, for sequences that are decoded together.
     *
     * @param tokens of prompt, images and answer of each sequence
     */
    public long total(int sequences, long tokens) {
        return weights() + Math.multiplyExact(sequences, cache(tokens)) + buffers();
    }

    /** One line that says how much inference needs. */
    public String describe() {
        int tokens = 1024;
        return String.format(
                Locale.ROOT,
                "inference needs about %.2f GB: %.2f of weights as stored, %.2f of buffers,"
                        + " and %.2f of KV cache for every %d tokens",
                total(1, tokens) / 1e9,
                weights() / 1e9,
                buffers() / 1e9,
                cache(tokens) / 1e9,
                tokens);
    }
}
