package io.llava4j.train.run.plan;

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
 * @param blockBytes of the weights of one block of the language model, as they are stored and trained
 * @param largestTrained elements of the largest trained tensor, whose gradient exists beside the sum of gradients
 * @param decodedBytes of the weights of a block that are decoded from 4 or 8 bits; 0 if none are
 */
public record ParameterCounts(long trained, long frozenBytes, long blockBytes, long largestTrained, long decodedBytes) {
    private static final String FIRST_BLOCK = "model.layers.0.";

    /** Counts them. */
    public static ParameterCounts of(PlannedRun run) {
        long trained = 0;
        long frozen = 0;
        long block = 0;
        long largest = 0;
        long decoded = 0;
        LoraConfig lora = run.lora() == null ? null : run.lora().toConfig();
        for (Map.Entry<String, long[]> tensor :
                ExpectedTensors.of(new ModelKind.Llava(run.model())).shapes().entrySet()) {
            String name = tensor.getKey();
            long elements = elements(tensor.getValue());
            boolean inFirst = name.startsWith(FIRST_BLOCK);
            long bytes = elements * run.precision().bytes();
            if (run.isTrained(name)) {
                trained += elements;
                largest = Math.max(largest, elements);
            } else {
                BlockFormat format = run.lora() == null ? null : run.lora().blocks(name);
                decoded += inFirst && format != null ? bytes : 0;
                bytes = format == null ? bytes : format.bytes(elements);
                frozen += bytes;
            }
            block += inFirst ? bytes : 0;
            if (lora != null && lora.adapts(name)) {
                long adapter = adapterElements(lora, tensor.getValue());
                trained += adapter;
                largest = Math.max(largest, adapter);
                block += inFirst ? adapter * run.precision().bytes() : 0;
            }
        }
        return new ParameterCounts(trained, frozen, block, largest, decoded);
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
