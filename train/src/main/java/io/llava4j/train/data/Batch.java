package io.llava4j.train.data;

import java.util.List;

/**
 * Samples of one micro-batch.
 *
 * @param examples in the sampler's order; fewer than the batch size at the end of an epoch and where samples were
 *     skipped, possibly none
 * @param end position in the epoch's order after this batch, where a resumed run continues
 */
public record Batch(List<Example> examples, int end) {
    public Batch {
        examples = List.copyOf(examples);
    }
}
