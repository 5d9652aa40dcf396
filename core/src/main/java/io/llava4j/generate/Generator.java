package io.llava4j.generate;

import io.llava4j.DataException;
import io.llava4j.generate.session.DecodingSession;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.generate.session.SharedPrefixes;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decodes answers with the tensor engine: a prefill of the spliced prompts, then a token at a time with the KV cache
 * (docs/reference/model.md#generation). Prefixes that prompts of a batch share, up to and with an image, are read once.
 *
 * <p><b>A greedy answer does not depend on its batch.</b> Attention never sees padding and sequences do not mix, so
 * batches and shared prefixes differ from a prompt on its own in rounding only: matrix products of another shape add in
 * another order. Rounding changes a token only at a near tie, where the two best logits are as close as that. There, the
 * sequence leaves the batch and is re-decoded alone, which gives exactly the logits that the prompt has on its own. Logits
 * are close if their difference is below {@value #MIN_ERROR} of the largest logit, or below {@value #ERROR_MARGIN} times
 * the largest error seen, whichever is more. The first sequence of a generator's first batch and every sequence that is
 * re-decoded measure that error. Drawn tokens (temperature above 0) are not checked.
 *
 * <p>On the CPU kernels {@link io.llava4j.generate.schedule.Scheduler} decodes instead: there, logits are the same to the
 * last bit in every batch.
 */
public final class Generator {
    /** Far above the rounding of 32-bit floats, 6e-8 each, of which some hundred in a row add up. */
    static final double MIN_ERROR = 1e-4;

    /** How many times as large as those seen an error may become. */
    static final double ERROR_MARGIN = 32;

    /** Sees every token as it is chosen. */
    @FunctionalInterface
    public interface Observer {
        /**
         * A token was chosen.
         *
         * @param sequence index of the prompt
         * @return false to end this answer
         */
        boolean token(int sequence, int id);
    }

    private final LlavaModel model;
    private final boolean sharesPrefixes;
    private double largestError = Double.NaN;
    private long redecodedAlone;

    /** A generator that reads shared prefixes once. */
    public Generator(LlavaModel model) {
        this(model, true);
    }

    /** @param sharesPrefixes whether prefixes that prompts of a batch share are read once; changes the speed, not the answers */
    public Generator(LlavaModel model, boolean sharesPrefixes) {
        this.model = model;
        this.sharesPrefixes = sharesPrefixes;
    }

    /** Largest difference a batch has made to a logit so far, relative to the largest logit; NaN before the first. */
    public double largestError() {
        return largestError;
    }

    /** Answers so far that were re-decoded alone because of a near tie. */
    public long redecodedAlone() {
        return redecodedAlone;
    }

    /**
     * Generates a batch. Prompts beyond {@code maxSequenceLength} are truncated as the reference truncates them.
     *
     * @param prompts token ids of each sequence, with image placeholders
     * @param images in the order of the placeholders; the same object is the same image,
     *     goes through the vision tower once and may be part of a shared prefix
     * @param options decoding options
     * @param stopIds ids that end an answer; the one that does is part of it
     * @param observer sees every token and may end an answer
     * @return ids of each answer
     */
    public List<int[]> generate(
            List<int[]> prompts,
            List<PreparedImage> images,
            GenerationOptions options,
            Set<Integer> stopIds,
            Observer observer) {
        if (prompts.isEmpty()) {
            return List.of();
        }
        List<ImagePrompt> placed = ImagePrompt.of(prompts, images);
        List<Sequence> sequences = new ArrayList<>();
        for (ImagePrompt prompt : placed) {
            int maxTokens = Math.min(options.maxNewTokens(), freePositions(prompt));
            sequences.add(new Sequence(sequences.size(), prompt, options, maxTokens));
        }
        return Engine.inference("generation", () -> {
            try (DecodingSession batch = new DecodingSession(model, placed, sharedPrefixes(placed))) {
                decode(batch, sequences, stopIds, observer);
                return sequences.stream().map(Sequence::answer).toList();
            } finally {
                sequences.forEach(Sequence::close);
            }
        });
    }

    private void decode(DecodingSession batch, List<Sequence> sequences, Set<Integer> stopIds, Observer observer) {
        boolean isExact = sequences.size() == 1;
        float[][] logits = new float[sequences.size()][];
        while (true) {
            for (Sequence sequence : sequences) {
                if (!sequence.isDone()) {
                    logits[sequence.index()] = isExact ? sequence.logits(batch) : logitsWithoutNearTie(sequence, batch);
                }
            }
            for (Sequence sequence : sequences) {
                if (!sequence.isDone()) {
                    int id = sequence.choose(logits[sequence.index()]);
                    sequence.endIf(!observer.token(sequence.index(), id) || stopIds.contains(id));
                }
            }
            if (sequences.stream().allMatch(Sequence::isDone)) {
                return;
            }
            decodeStep(batch, sequences);
        }
    }

    /** Logits of a sequence in the batch, or at a near tie those that it has on its own. */
    private float[] logitsWithoutNearTie(Sequence sequence, DecodingSession batch) {
        float[] batched = sequence.logits(batch);
        if (sequence.isAlone() || sequence.isSampled()) {
            return batched;
        }
        boolean measured = !Double.isNaN(largestError);
        double error = measured ? Math.max(MIN_ERROR, ERROR_MARGIN * largestError) : MIN_ERROR;
        if (measured && !sequence.isNearTie(batched, error)) {
            return batched;
        }
        sequence.redecodeAlone(model);
        float[] alone = sequence.logits(batch);
        largestError = Math.max(measured ? largestError : 0, error(batched, alone));
        redecodedAlone++;
        return alone;
    }

    private static double error(float[] logits, float[] exact) {
        double largest = 0;
        double error = 0;
        for (int id = 0; id < exact.length; id++) {
            if (Float.isFinite(exact[id])) {
                largest = Math.max(largest, Math.abs(exact[id]));
                error = Math.max(error, Math.abs(logits[id] - exact[id]));
            }
        }
        return largest == 0 ? 0 : error / largest;
    }

    /** Sequences that are done or decoded alone leave the batch once they are half of it. */
    private static void decodeStep(DecodingSession batch, List<Sequence> sequences) {
        List<Sequence> open = sequences.stream()
                .filter(sequence -> !sequence.isAlone() && !sequence.isDone())
                .toList();
        if (!open.isEmpty()) {
            if (2 * open.size() <= batch.size()) {
                batch.keep(open.stream().mapToInt(Sequence::slot).toArray());
                sequences.forEach(sequence -> sequence.moveTo(open.indexOf(sequence)));
            }
            int[] tokens = new int[batch.size()];
            for (Sequence sequence : sequences) {
                if (sequence.slot() >= 0) {
                    tokens[sequence.slot()] = sequence.lastToken();
                }
            }
            batch.decodeStep(tokens);
        }
        sequences.forEach(Sequence::decodeStepAlone);
    }

    /** Prefixes worth reading on their own: a second pass has to save a good part of the tokens. */
    private @Nullable SharedPrefixes sharedPrefixes(List<ImagePrompt> prompts) {
        if (!sharesPrefixes || prompts.size() == 1) {
            return null;
        }
        int limit = model.config().maxSequenceLength();
        long whole = 0;
        for (ImagePrompt prompt : prompts) {
            int length = prompt.length(model.config());
            if (limit > 0 && length > limit) {
                return null;
            }
            whole += length;
        }
        SharedPrefixes shared = SharedPrefixes.of(prompts);
        long saved = whole;
        for (ImagePrompt prefix : shared.prefixes()) {
            if (prefix.ids().length == 0) {
                return null;
            }
            saved -= prefix.length(model.config());
        }
        for (ImagePrompt suffix : shared.suffixes(prompts)) {
            saved -= suffix.length(model.config());
        }
        return saved > whole / 8 ? shared : null;
    }

    /** Positions after a prompt; each sequence has its own, so that an answer does not depend on its neighbours. */
    private int freePositions(ImagePrompt prompt) {
        int length = prompt.length(model.config());
        int limit = model.config().maxSequenceLength();
        int read = limit > 0 ? Math.min(length, limit) : length;
        int positions = model.config().text().maxPositionEmbeddings();
        if (read >= positions) {
            throw new DataException("the prompt has " + read + " tokens, image tokens included, but the model reads "
                    + (positions - 1) + "; shorten the conversation");
        }
        return positions - read;
    }
}
