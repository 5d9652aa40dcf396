package io.llava4j.generate.session;

import io.llava4j.image.tile.PreparedImage;
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
 * Sequences that the tensor engine decodes as one padded batch: a prefill of their prompts, then one token of each at a
 * time. What the tokens are is the caller's choice. Batches of another shape round differently. Use it inside
 * {@link Engine#inference}.
 */
public final class DecodingSession implements AutoCloseable {
    /** Slots that a cache has beyond the prompts from the start; most answers are shorter than they may be. */
    private static final int SPARE_SLOTS = 32;

    private final LlamaModel languageModel;
    private final List<KvCache> caches = new ArrayList<>();
    private final KvCache cache;
    private float[] logits;
    private int size;

    /**
     * Reads prompts.
     *
     * @param model whose language model computes with the tensor engine
     * @param shared prefixes to be read once; null to read every prompt whole
     */
    public DecodingSession(LlavaModel model, List<ImagePrompt> prompts, @Nullable SharedPrefixes shared) {
        this.languageModel = model.llama();
        this.size = prompts.size();
        List<PreparedImage> images = new ArrayList<>();
        prompts.forEach(prompt -> images.addAll(prompt.images()));
        try {
            this.logits = Engine.scope("prefill", () -> {
                EncodedImages encoded = new EncodedImages(model, images);
                return shared == null
                        ? prefill(encoded.assemble(model, prompts))
                        : prefill(
                                encoded.assemble(model, shared.prefixes()),
                                shared.prefixOf(),
                                encoded.assemble(model, shared.suffixes(prompts)));
            });
            this.cache = caches.getLast();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private float[] prefill(LlavaModel.Spliced prompts) {
        KvCache whole = new KvCache(languageModel.config(), size, longest(prompts) + SPARE_SLOTS, prompts.embeds());
        caches.add(whole);
        return lastLogits(prompts, whole);
    }

    private float[] prefill(LlavaModel.Spliced prefixes, int[] prefixOf, LlavaModel.Spliced suffixes) {
        KvCache first =
                new KvCache(languageModel.config(), prefixes.lengths().length, longest(prefixes), prefixes.embeds());
        caches.add(first);
        languageModel.hiddenStates(prefixes.embeds(), prefixes.lengths(), first);
        KvCache after = KvCache.continuing(
                languageModel.config(), first, prefixOf, longest(suffixes) + SPARE_SLOTS, suffixes.embeds());
        caches.add(after);
        return lastLogits(suffixes, after);
    }

    private static int longest(LlavaModel.Spliced sequences) {
        return Arrays.stream(sequences.lengths()).max().orElse(0);
    }

    private float[] lastLogits(LlavaModel.Spliced sequences, KvCache into) {
        Tensor hidden = languageModel.hiddenStates(sequences.embeds(), sequences.lengths(), into);
        return Tensors.toFloats(languageModel.logits(LlamaModel.lastTokens(hidden, sequences.lengths())));
    }

    /** Logits of a sequence's next token, {@code [vocab]}; not between {@link #keep} and {@link #decodeStep}. */
    public float[] logits(int sequence) {
        int vocabulary = logits.length / size;
        return Arrays.copyOfRange(logits, sequence * vocabulary, (sequence + 1) * vocabulary);
    }

    /** Sequences that are still decoded. */
    public int size() {
        return size;
    }

    /** Reads one further token of every sequence. */
    public void decodeStep(int[] tokens) {
        logits = Engine.scope("decoding", () -> {
            cache.reserve(1);
            int[] one = new int[tokens.length];
            Arrays.fill(one, 1);
            Tensor embeds = languageModel.embed(Tensors.ofInts(tokens, tokens.length, 1)
                    .to(languageModel.like().device(), torch.ScalarType.Long));
            Tensor hidden = languageModel.hiddenStates(embeds, one, cache);
            return Tensors.toFloats(languageModel.logits(hidden.select(1, 0)));
        });
    }

    /** Keeps only these sequences, in this order. */
    public void keep(int[] kept) {
        Engine.scope("decoding", () -> {
            cache.keep(kept);
            return null;
        });
        size = kept.length;
    }

    @Override
    public void close() {
        caches.forEach(KvCache::close);
    }
}
