package io.llava4j.generate;

import io.llava4j.DataException;
import io.llava4j.model.KvCache;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Decodes answers: one prefill of the spliced prompts, then a token at a time with the KV cache (spec/model 1.10).
 * Rows of a batch are independent of each other: no padding is ever seen by attention.
 */
public final class Generator {
    /** Watches and may stop a generation. */
    public interface Observer {
        /**
         * Logits from which a step's tokens are chosen.
         *
         * @param step from 0
         * @param logits {@code [batch, vocab]} row-major
         */
        default void logits(int step, float[] logits) {}

        /**
         * A token was chosen.
         *
         * @return false to end this row
         */
        default boolean token(int row, int id) {
            return true;
        }
    }

    private final LlavaModel model;

    /** @param model what answers */
    public Generator(LlavaModel model) {
        this.model = model;
    }

    /**
     * Generates a batch. Prompts beyond {@code maxSequenceLength} are cut as the reference cuts them.
     *
     * @param prompts token ids of each row, with image placeholders
     * @param pixels normalised pictures {@code [3, size, size]} in the order of their placeholders; one that stands
     *     several times (the same array) goes through the tower once
     * @param options decoding options
     * @param stopId id that ends a row, -1 for none; it is part of the output
     * @param observer watches
     * @return new ids of each row
     */
    public List<int[]> generate(
            List<int[]> prompts, List<float[]> pixels, GenerationOptions options, int stopId, Observer observer) {
        return Engine.inference("generation", () -> decode(prompts, pixels, options, stopId, observer));
    }

    private List<int[]> decode(
            List<int[]> prompts, List<float[]> pixels, GenerationOptions options, int stopId, Observer observer) {
        int batch = prompts.size();
        if (batch == 0) {
            return List.of();
        }
        int[] allowed = new int[batch];
        for (int row = 0; row < batch; row++) {
            allowed[row] = Math.min(options.maxNewTokens(), room(prompts.get(row)));
        }
        int steps = Arrays.stream(allowed).max().orElse(0);
        LlavaModel.Spliced spliced = model.splice(prompts, null, imageRows(pixels));
        int longest = Arrays.stream(spliced.lengths()).max().orElse(0);
        LlamaModel decoder = model.languageModel();
        List<Sampler> samplers = new ArrayList<>();
        List<Ids> outputs = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
            samplers.add(new Sampler(options));
            outputs.add(new Ids());
        }
        boolean[] done = new boolean[batch];
        int[] next = new int[batch];
        try (KvCache cache = new KvCache(decoder.config(), batch, longest + steps, spliced.embeds())) {
            float[] logits = Engine.scope("prefill", () -> {
                Tensor hidden = decoder.hiddenStates(spliced.embeds(), spliced.lengths(), cache);
                return Tensors.toFloats(decoder.logits(LlamaModel.lastTokens(hidden, spliced.lengths())));
            });
            int[] one = new int[batch];
            Arrays.fill(one, 1);
            for (int step = 0; step < steps; step++) {
                observer.logits(step, logits);
                int vocab = logits.length / batch;
                boolean all = true;
                for (int row = 0; row < batch; row++) {
                    if (!done[row]) {
                        float[] own = Arrays.copyOfRange(logits, row * vocab, (row + 1) * vocab);
                        next[row] =
                                samplers.get(row).sample(own, outputs.get(row).toArray());
                        outputs.get(row).add(next[row]);
                        done[row] = !observer.token(row, next[row]) || next[row] == stopId || step + 1 >= allowed[row];
                    }
                    all &= done[row];
                }
                if (all || step + 1 == steps) {
                    break;
                }
                logits = Engine.scope("decoding", () -> {
                    Tensor embeds = decoder.embed(
                            Tensors.ofInts(next, batch, 1).to(decoder.like().device(), torch.ScalarType.Long));
                    Tensor hidden = decoder.hiddenStates(embeds, one, cache);
                    return Tensors.toFloats(decoder.logits(hidden.select(1, 0)));
                });
            }
        }
        return outputs.stream().map(Ids::toArray).toList();
    }

    /** Tokens that can follow a prompt; a row's own, so that its answer does not depend on its neighbours. */
    private int room(int[] prompt) {
        int length = model.config().splicedLength(prompt);
        int cut = model.config().maxSequenceLength();
        int read = cut > 0 ? Math.min(length, cut) : length;
        int positions = model.config().text().maxPositionEmbeddings();
        if (read >= positions) {
            throw new DataException("the prompt has " + read + " tokens, image rows included, but the model reads "
                    + (positions - 1) + "; shorten the conversation");
        }
        return positions - read;
    }

    /** Image rows of all placeholders; a picture that stands several times is encoded once. */
    private @Nullable Tensor imageRows(List<float[]> pixels) {
        if (pixels.isEmpty()) {
            return null;
        }
        List<float[]> distinct = new ArrayList<>();
        int[] index = new int[pixels.size()];
        for (int i = 0; i < index.length; i++) {
            index[i] = -1;
            for (int known = 0; known < distinct.size() && index[i] < 0; known++) {
                index[i] = distinct.get(known) == pixels.get(i) ? known : -1;
            }
            if (index[i] < 0) {
                index[i] = distinct.size();
                distinct.add(pixels.get(i));
            }
        }
        Tensor like = model.languageModel().like();
        int edge = model.config().vision().imageSize();
        for (float[] picture : distinct) {
            if (picture.length != 3 * edge * edge) {
                throw new DataException("a picture has " + picture.length + " numbers where the model takes 3 x " + edge
                        + " x " + edge + "; prepare it with the model's own image processor");
            }
        }
        Tensor[] each = distinct.stream()
                .map(picture -> Tensors.of(picture, 1, 3, edge, edge).to(like.device(), like.scalar_type()))
                .toArray(Tensor[]::new);
        Tensor rows = model.imageRows(Tensors.cat(0, each));
        return distinct.size() == index.length
                ? rows
                : rows.index_select(0, Tensors.ofInts(index, index.length).to(like.device(), torch.ScalarType.Long));
    }

    private static final class Ids {
        private int[] ids = new int[16];
        private int count;

        void add(int id) {
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, 2 * count);
            }
            ids[count++] = id;
        }

        int[] toArray() {
            return Arrays.copyOf(ids, count);
        }
    }
}
