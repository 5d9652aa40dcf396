package io.llava4j.generate;

import io.llava4j.generate.session.DecodingSession;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.model.LlavaModel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One prompt of a batch with its answer so far. */
final class Sequence implements AutoCloseable {
    private final int index;
    private final ImagePrompt prompt;
    private final GenerationOptions options;
    private final Sampler sampler;
    private final int maxTokens;
    private int[] ids = new int[16];
    private int count;
    private int slot;
    private boolean done;
    private @Nullable DecodingSession alone;

    /**
     * @param index of the prompt in the batch
     * @param maxTokens longest answer
     */
    Sequence(int index, ImagePrompt prompt, GenerationOptions options, int maxTokens) {
        this.index = index;
        this.prompt = prompt;
        this.options = options;
        this.sampler = new Sampler(options);
        this.maxTokens = maxTokens;
        this.slot = index;
    }

    int index() {
        return index;
    }

    /** Whether the answer is complete. */
    boolean isDone() {
        return done;
    }

    /** Whether it has left the batch. */
    boolean isAlone() {
        return alone != null;
    }

    /** Where the batch decodes it; -1 where it does not. */
    int slot() {
        return slot;
    }

    void moveTo(int newSlot) {
        slot = newSlot;
    }

    /** The answer so far. */
    int[] answer() {
        return Arrays.copyOf(ids, count);
    }

    int lastToken() {
        return ids[count - 1];
    }

    /** Logits of its next token, of the batch or of its own session. */
    float[] logits(DecodingSession batch) {
        return alone == null ? batch.logits(slot) : alone.logits(0);
    }

    /** Whether errors of that size, relative to the largest logit, could change its next token. */
    boolean isNearTie(float[] logits, double error) {
        return sampler.isNearTie(logits, answer(), error);
    }

    /** Chooses the next token. */
    int choose(float[] logits) {
        int id = sampler.sample(logits, answer());
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
        return id;
    }

    /** Ends the answer if it has to end after the chosen token. */
    void endIf(boolean ends) {
        done = ends || count >= maxTokens;
    }

    /** Whether tokens are drawn; those are not checked for near ties. */
    boolean isSampled() {
        return options.temperature() != 0;
    }

    /** Leaves the batch: reads prompt and answer so far as a batch of one does. */
    void redecodeAlone(LlavaModel model) {
        DecodingSession own = new DecodingSession(model, List.of(prompt), null);
        alone = own;
        for (int i = 0; i < count; i++) {
            own.decodeStep(new int[] {ids[i]});
        }
    }

    /** Reads the chosen token outside the batch. */
    void decodeStepAlone() {
        if (alone != null && !done) {
            alone.decodeStep(new int[] {lastToken()});
        }
    }

    @Override
    public void close() {
        if (alone != null) {
            alone.close();
        }
    }
}
