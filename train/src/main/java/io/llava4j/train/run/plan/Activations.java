package io.llava4j.train.run.plan;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.ComputePrecision;

/**
 * Bytes that the forward pass of a micro-batch leaves for the backward pass, and what comes on top at the worst moment. Counted
 * operation by operation as the engine keeps their operands (E bytes of a number in the run's type, h hidden size, i
 * intermediate size).
 *
 * <p>A block keeps for every position: its input, both norms' inputs in 32-bit floats (the input itself in a 32-bit run),
 * rotated queries and keys, values, attention's result: 6 h; gate, its SiLU and the up projection: 3 i. Trained weights also
 * need the inputs of their products and norms: 4 h and 1 i more. An adapter needs its own input and the mask of its dropout.
 *
 * @param kept at the end of the forward pass
 * @param peak of the backward pass, kept activations included
 */
record Activations(long kept, long peak) {
    private static final int FLOAT = Float.BYTES;

    /** Largest number of logits that the loss computes at a time. */
    private static final long MAX_LOGITS = 1 << 25;

    static Activations of(PlannedRun run, ParameterCounts counts) {
        TextConfig text = run.model().text();
        long e = run.precision().bytes();
        long n = run.batch().positions();
        long h = text.hiddenSize();
        long block = n * blockBytes(run) + counts.decodedBytes();
        // Text and image tokens, the table of both that the splice looks up, and what the projector keeps.
        long embeds = 3 * n * h * e + imageBytes(run);
        // While a block runs backward: gradients of its input and its widest activations, and of its largest weight.
        boolean trains = run.trainable().languageModel();
        long widest = n * (3 * (long) text.intermediateSize() + 2 * h) * e;
        long weightGradient = trains ? h * Math.max(text.intermediateSize(), h) * e : 0;
        long inBlock = widest + weightGradient;
        long loss = lossBytes(run);
        if (run.checkpointing()) {
            long states = n * h * e * text.layers();
            long kept = embeds + states;
            // The inputs of the blocks keep their gradients until the pass ends.
            return new Activations(kept, kept + Math.max(loss, states + block + inBlock));
        }
        long kept = embeds + block * text.layers();
        return new Activations(kept, kept + Math.max(loss, inBlock));
    }

    /** Of one block for every position. */
    private static long blockBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long e = run.precision().bytes();
        long h = text.hiddenSize();
        long i = text.intermediateSize();
        boolean narrow = run.precision() == ComputePrecision.BF16;
        long heads = (long) text.heads() * FLOAT;
        // In 16 bits the norms keep their inputs upcast, beside the block's input itself.
        long norms = narrow ? 2 * h * FLOAT + h * e : 2 * h * e;
        long bytes = norms + 4 * h * e + 3 * i * e + heads + 2 * FLOAT;
        if (run.trainable().languageModel()) {
            bytes += 4 * h * e + i * e;
        }
        LoraConfig lora = run.lora() == null ? null : run.lora().toConfig();
        if (lora != null) {
            // Inputs: of queries, keys and values; of the output; of gate and up; of down. With dropout each adapter
            // has its own.
            long inputs = lora.dropout() > 0 ? 2 * (6 * h + i) : 2 * h + i;
            bytes += (inputs + 7L * lora.rank()) * e;
        }
        return bytes;
    }

    /** Pixels and features of the tower; inputs of the projector's layers and of its activations. */
    private static long imageBytes(PlannedRun run) {
        LlavaConfig model = run.model();
        long images = run.batch().images();
        long e = run.precision().bytes();
        long pixels = images * 3L * model.vision().imageSize() * model.vision().imageSize() * (FLOAT + e);
        long features = images
                * model.tokensPerImage()
                * (model.vision().hiddenSize() + 3L * model.text().hiddenSize())
                * e;
        return pixels + features;
    }

    /** Logits in the run's type, in 32 bits, their log-softmax, and the gradients of both. */
    private static long lossBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long supervised = (long) run.batch().sequences() * run.batch().supervised();
        long chunk = run.parallel() > 1 ? supervised : Math.min(supervised, Math.max(1, MAX_LOGITS / text.vocabSize()));
        long narrow =
                run.precision() == ComputePrecision.BF16 ? 2L * run.precision().bytes() : 0;
        long head = run.isTrained("lm_head.weight")
                ? (long) text.vocabSize() * text.hiddenSize() * run.precision().bytes()
                : 0;
        long h = text.hiddenSize();
        long e = run.precision().bytes();
        return chunk * text.vocabSize() * (4L * FLOAT + narrow)
                + 2 * supervised * h * e
                + chunk * h * (2L * FLOAT + 2 * e)
                + head;
    }
}
