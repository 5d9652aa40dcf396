package io.llava4j.train.run.plan;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.format.BlockFormat;
import java.util.Map;

/**
 * Sizes of a run's weights.
 *
 * @param trained parameter count of what the optimiser moves, adapters included
 * @param frozenBytes of all other weights as they are stored
 * @param inputs vision tower, projector and token embeddings
 * @param block one block of the language model
 * @param head its final norm and head, also where that is the table of the token embeddings
 * @param largest elements of the largest tensor
 * @param decodedBytes of the weights of a block that are decoded from 4 or 8 bits; 0 if none are
 */
public record ParameterCounts(
        long trained, long frozenBytes, Part inputs, Part block, Part head, long largest, long decodedBytes) {
    private static final String FIRST_BLOCK = CanonicalNames.LAYERS + "0.";

    /**
     * Weights that processes gather together where they share them.
     *
     * @param bytes as the network reads them
     * @param trained parameter count of those that are trained
     */
    public record Part(long bytes, long trained) {
        static final Part NONE = new Part(0, 0);

        Part plus(Part other) {
            return new Part(bytes + other.bytes, trained + other.trained);
        }
    }

    /** Counts them. */
    public static ParameterCounts of(PlannedRun run) {
        long trained = 0;
        long frozen = 0;
        long largest = 0;
        long decoded = 0;
        Part inputs = Part.NONE;
        Part block = Part.NONE;
        Part head = Part.NONE;
        int bytesEach = run.precision().bytes();
        LoraConfig lora = run.lora() == null ? null : run.lora().toConfig();
        for (Map.Entry<String, long[]> tensor :
                ExpectedTensors.of(new ModelKind.Llava(run.model())).shapes().entrySet()) {
            String name = tensor.getKey();
            long elements = elements(tensor.getValue());
            boolean inFirst = name.startsWith(FIRST_BLOCK);
            boolean moves = run.isTrained(name);
            BlockFormat format = moves || run.lora() == null ? null : run.lora().blocks(name);
            Part own = new Part(format == null ? elements * bytesEach : format.bytes(elements), moves ? elements : 0);
            trained += own.trained();
            frozen += moves ? 0 : own.bytes();
            decoded += inFirst && format != null ? elements * bytesEach : 0;
            largest = Math.max(largest, elements);
            if (lora != null && lora.adapts(name)) {
                long adapter = adapterElements(lora, tensor.getValue());
                trained += adapter;
                own = own.plus(new Part(adapter * bytesEach, adapter));
            }
            if (inFirst) {
                block = block.plus(own);
            } else if (name.equals(CanonicalNames.NORM) || name.equals(CanonicalNames.LM_HEAD)) {
                head = head.plus(own);
            } else if (!name.startsWith(CanonicalNames.LAYERS)) {
                inputs = inputs.plus(own);
                boolean tied = run.model().text().tieWordEmbeddings();
                head = tied && name.equals(CanonicalNames.EMBED_TOKENS) ? head.plus(own) : head;
            }
        }
        return new ParameterCounts(trained, frozen, inputs, block, head, largest, decoded);
    }

    private static long adapterElements(LoraConfig lora, long[] shape) {
        return lora.rank() * (shape[0] + shape[1]) + (lora.dora() ? shape[0] : 0);
    }

    private static long elements(long[] shape) {
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        return elements;
    }
}
