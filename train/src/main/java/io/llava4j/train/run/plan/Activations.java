package io.llava4j.train.run.plan;

import io.llava4j.model.config.FeatureStates;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.ComputePrecision;

/**
 * Bytes that the forward pass of a micro-batch leaves for the backward pass, and what comes on top at the worst moment. Counted
 * operation by operation as the engine keeps their operands (E bytes of a number in the run's type, h hidden size, i
 * intermediate size).
 *
 * <p>A block keeps for every position: its input and that of the second norm, in 16-bit runs upcast to 32 bits: 2 h; rotated
 * queries and keys, values, attention's result: 4 h; gate, its SiLU and the up projection: 3 i. Trained weights also need the
 * inputs of their products, 2 h and 1 i more, and what the norms give before their weights, 2 h in 32 bits. An adapter needs its
 * own input and the mask of its dropout.
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
        long state = n * text.hiddenSize() * e;
        long block = n * blockBytes(run) + counts.decodedBytes();
        // Before the blocks; the last one's result takes the place of the first one's input.
        long embeds = embedsBytes(run);
        long loss = lossBytes(run);
        long gradients = state + gradientBytes(run);
        long kept = embeds;
        long backward;
        if (run.checkpointing()) {
            kept += state * text.layers();
            // The block that is computed again; its result takes the place of its input.
            backward = Math.max(loss, block + Math.max(n * unkeptBytes(run), gradients));
        } else {
            kept += block * text.layers();
            backward = Math.max(loss, gradients);
        }
        return new Activations(kept, kept + backward);
    }

    /** Gradients of activations that exist at once within a block, or one of them with that of the largest weight. */
    private static long gradientBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long e = run.precision().bytes();
        long i = run.batch().positions() * text.intermediateSize() * e;
        // What a product has kept of its input is freed as soon as its gradients are there.
        long widest = keepsInputs(run) && !hasDropout(run) ? 2 * i : 3 * i;
        long weight = run.trainable().languageModel()
                ? (long) text.hiddenSize() * Math.max(text.intermediateSize(), text.hiddenSize()) * e
                : 0;
        return Math.max(widest, i + weight);
    }

    private static boolean hasDropout(PlannedRun run) {
        return run.lora() != null && run.lora().dropout() > 0;
    }

    /** Whether the inputs of the blocks' products are kept, for gradients of weights. */
    private static boolean keepsInputs(PlannedRun run) {
        return run.trainable().languageModel() || run.lora() != null;
    }

    /** What one block keeps for every position. */
    private static long blockBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long e = run.precision().bytes();
        long h = text.hiddenSize();
        long i = text.intermediateSize();
        // In 16 bits the norms keep their inputs upcast, beside the block's input itself.
        long norms = isNarrow(run) ? 2 * h * FLOAT + h * e : 2 * h * e;
        long bytes = norms + 4 * h * e + 3 * i * e + (text.heads() + 2L) * FLOAT;
        if (run.trainable().languageModel()) {
            bytes += 2 * h * FLOAT + 2 * h * e + i * e;
        }
        LoraConfig lora = run.lora() == null ? null : run.lora().toConfig();
        if (lora != null) {
            // Inputs: of queries, keys and values; of gate and up; of down. With dropout each adapter has its own.
            long inputs = lora.dropout() > 0 ? 2 * (6 * h + i) : 2 * h + i;
            // DoRA scales the results of weight and adapter.
            long results = lora.dora() ? 2 * (5 * h + 2 * i) : 0;
            bytes += (inputs + results + 7L * lora.rank()) * e;
        }
        return bytes;
    }

    /** What one block computes for every position and frees when it is done. */
    private static long unkeptBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long h = text.hiddenSize();
        // Results of attention's and the MLP's last product, in 16 bits also their input before it is upcast.
        long elements = isNarrow(run) ? 3 * h : 2 * h;
        if (!keepsInputs(run) || hasDropout(run)) {
            elements += 2 * h + text.intermediateSize();
        }
        if (text.kvHeads() < text.heads()) {
            elements += 2L * text.kvHeads() * text.headDim();
        }
        return elements * run.precision().bytes();
    }

    private static boolean isNarrow(PlannedRun run) {
        return run.precision() == ComputePrecision.BF16;
    }

    /** Image features and what the projector makes of them; text, the table of both that the splice looks up, its result. */
    private static long embedsBytes(PlannedRun run) {
        LlavaConfig model = run.model();
        long h = model.text().hiddenSize();
        long imageTokens = (long) run.batch().images() * model.tokensPerImage();
        long views = (long) run.batch().images() * model.viewsPerImage();
        long projected = views * model.tokensPerView();
        ProjectorType projector = ProjectorType.parse(model.projectorType());
        long patches = views * model.featuresPerView();
        long features = patches * model.featureWidth();
        long reduced = switch (projector.reduction()) {
            case NONE -> 0;
            case AVG_POOL, PIXEL_SHUFFLE ->
                projected * projector.inputWidth(model.vision().hiddenSize());
            case TOKEN_PACKER -> packedElements(model, patches, projected);
        };
        // Tiles are put into their order: the table with the row-end token, and what is looked up in it.
        long arranged = model.viewsPerImage() == 1 ? 0 : projected + imageTokens;
        long text = Math.max(0, run.batch().positions() - imageTokens);
        long spliced = 2 * text + imageTokens + run.batch().positions();
        long elements = features + reduced + h * (3 * projected + arranged + spliced);
        return elements * run.precision().bytes();
    }

    /**
     * A TokenPacker: for every patch the four hidden states where they are copied, of its keys and values each the hidden layer
     * before and after GELU, the inputs and results of the norm and of attention's linear layer; for every token the like of its query,
     * attention's result and the MLP's input.
     */
    private static long packedElements(LlavaConfig model, long patches, long tokens) {
        long width = model.vision().hiddenSize();
        FeatureStates states = model.featureStates();
        long copied = states.areLevels() ? 0 : states.levels().size();
        return width * (patches * (copied + 2 * 6) + tokens * 7);
    }

    /** Log-softmax with its gradient and that of the logits; states before and after the final norm. */
    private static long lossBytes(PlannedRun run) {
        TextConfig text = run.model().text();
        long e = run.precision().bytes();
        long h = text.hiddenSize();
        long supervised = (long) run.batch().sequences() * run.batch().supervised();
        long chunk = run.parallel() > 1 ? supervised : Math.min(supervised, Math.max(1, MAX_LOGITS / text.vocabSize()));
        long logits = chunk * text.vocabSize();
        long head = run.isTrained("lm_head.weight") ? text.vocabSize() * h * e : 0;
        return Math.max(3 * logits * FLOAT, logits * (isNarrow(run) ? FLOAT + e : FLOAT) + head)
                + 2 * supervised * h * e
                + chunk * h * (2L * FLOAT + 2 * e);
    }
}
