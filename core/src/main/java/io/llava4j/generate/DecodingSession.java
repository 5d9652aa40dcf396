package io.llava4j.generate;

import io.llava4j.model.ImageTokens;
import io.llava4j.model.KvCache;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Prompts that are read together and go on token by token; to be used in a scope without gradients. */
final class DecodingSession implements AutoCloseable {
    /** Tokens for which room is made ahead; answers are mostly shorter than they may be. */
    private static final int AHEAD = 32;

    private final LlamaModel decoder;
    private final List<KvCache> caches = new ArrayList<>();
    private final KvCache cache;
    private float[] logits;
    private int rows;

    /**
     * Reads prompts.
     *
     * @param beginnings what they share, to be read once; null to read every prompt whole
     */
    DecodingSession(LlavaModel model, List<ImagePrompt> prompts, @Nullable SharedPrefixes beginnings) {
        this.decoder = model.languageModel();
        this.rows = prompts.size();
        List<float[]> images = new ArrayList<>();
        prompts.forEach(prompt -> images.addAll(prompt.images()));
        try {
            this.logits = Engine.scope("prefill", () -> {
                Images encoded = new Images(model, images);
                return beginnings == null
                        ? read(model, encoded, prompts)
                        : read(model, encoded, beginnings.rests(prompts), beginnings);
            });
            this.cache = caches.getLast();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private float[] read(LlavaModel model, Images images, List<ImagePrompt> prompts) {
        LlavaModel.Spliced spliced = images.assemble(model, prompts);
        KvCache whole = new KvCache(decoder.config(), rows, longest(spliced) + AHEAD, spliced.embeds());
        caches.add(whole);
        return lastLogits(spliced, whole);
    }

    private float[] read(LlavaModel model, Images images, List<ImagePrompt> rests, SharedPrefixes beginnings) {
        LlavaModel.Spliced shared = images.assemble(model, beginnings.sequences());
        KvCache first = new KvCache(decoder.config(), beginnings.sequences().size(), longest(shared), shared.embeds());
        caches.add(first);
        decoder.hiddenStates(shared.embeds(), shared.lengths(), first);
        LlavaModel.Spliced spliced = images.assemble(model, rests);
        KvCache behind = KvCache.continuing(
                decoder.config(), first, beginnings.rowOf(), longest(spliced) + AHEAD, spliced.embeds());
        caches.add(behind);
        return lastLogits(spliced, behind);
    }

    private static int longest(LlavaModel.Spliced spliced) {
        return Arrays.stream(spliced.lengths()).max().orElse(0);
    }

    private float[] lastLogits(LlavaModel.Spliced spliced, KvCache into) {
        Tensor hidden = decoder.hiddenStates(spliced.embeds(), spliced.lengths(), into);
        return Tensors.toFloats(decoder.logits(LlamaModel.lastTokens(hidden, spliced.lengths())));
    }

    /** Logits behind what a row has read; not between {@link #keep} and {@link #read}. */
    float[] logits(int row) {
        int vocabulary = logits.length / rows;
        return Arrays.copyOfRange(logits, row * vocabulary, (row + 1) * vocabulary);
    }

    /** Rows still there. */
    int rows() {
        return rows;
    }

    /** Reads one further token in every row. */
    void read(int[] tokens) {
        logits = Engine.scope("decoding", () -> {
            cache.reserve(1);
            int[] one = new int[tokens.length];
            Arrays.fill(one, 1);
            Tensor embeds = decoder.embed(
                    Tensors.ofInts(tokens, tokens.length, 1).to(decoder.like().device(), torch.ScalarType.Long));
            Tensor hidden = decoder.hiddenStates(embeds, one, cache);
            return Tensors.toFloats(decoder.logits(hidden.select(1, 0)));
        });
    }

    /** Keeps only these rows, in this order. */
    void keep(int[] kept) {
        Engine.scope("decoding", () -> {
            cache.keep(kept);
            return null;
        });
        rows = kept.length;
    }

    @Override
    public void close() {
        caches.forEach(KvCache::close);
    }

    /** Encoded images; one that several placeholders show (the same array) goes through the vision tower once. */
    private static final class Images {
        private final Map<float[], Integer> index = new IdentityHashMap<>();
        private final List<float[]> distinct = new ArrayList<>();
        private final ImageTokens tokens;

        Images(LlavaModel model, List<float[]> placed) {
            for (float[] image : placed) {
                if (index.putIfAbsent(image, distinct.size()) == null) {
                    distinct.add(image);
                }
            }
            tokens = model.encode(distinct);
        }

        LlavaModel.Spliced assemble(LlavaModel model, List<ImagePrompt> sequences) {
            int[] placed = sequences.stream()
                    .flatMap(sequence -> sequence.images().stream())
                    .mapToInt(index::get)
                    .toArray();
            List<int[]> ids = sequences.stream().map(ImagePrompt::ids).toList();
            return model.assemble(
                    new ModelInput(ids, null, distinct, placed), placed.length == 0 ? ImageTokens.NONE : tokens);
        }
    }
}
