package io.llava4j.generate.session;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.KvContext;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sequences that the CPU kernels decode: each has a context of its own, and only products with the weights take all of them. */
final class CpuDecodingSession implements DecodingSession {
    private final CpuLlamaModel languageModel;
    private final @Nullable LastSequence last;
    private int[] decoded = new int[0];
    private @Nullable ImagePrompt only;
    private List<KvContext> contexts = new ArrayList<>();
    private float[] logits;

    /**
     * Reads prompts.
     *
     * @param shared prefixes to be read once; null to read every prompt whole
     * @param last what a single prompt may continue, and where it is remembered; null for nothing
     */
    CpuDecodingSession(
            LlavaModel model,
            CpuLlamaModel languageModel,
            List<ImagePrompt> prompts,
            @Nullable SharedPrefixes shared,
            @Nullable LastSequence last) {
        this.languageModel = languageModel;
        this.last = last;
        try {
            this.logits = Engine.scope("prefill", () -> {
                if (shared != null) {
                    return readShared(model, prompts, shared);
                }
                List<ImagePrompt> unread = last != null && prompts.size() == 1
                        ? List.of(continueLast(model, prompts.getFirst()))
                        : prompts;
                while (contexts.size() < prompts.size()) {
                    contexts.add(languageModel.open());
                }
                return read(EncodedImages.oneByOne(model, images(unread)).assemble(model, unread));
            });
        } catch (RuntimeException e) {
            only = null;
            close();
            throw e;
        }
    }

    private static List<float[]> images(List<ImagePrompt> prompts) {
        List<float[]> images = new ArrayList<>();
        prompts.forEach(prompt -> images.addAll(prompt.images()));
        return images;
    }

    private float[] readShared(LlavaModel model, List<ImagePrompt> prompts, SharedPrefixes shared) {
        EncodedImages encoded = EncodedImages.oneByOne(model, images(prompts));
        forkPrefixes(encoded.assemble(model, shared.prefixes()), shared.prefixOf());
        return read(encoded.assemble(model, shared.suffixes(prompts)));
    }

    /** Takes the context of what was read before, if the prompt begins so; returns what is left to be read. */
    private ImagePrompt continueLast(LlavaModel model, ImagePrompt prompt) {
        int limit = model.config().maxSequenceLength();
        if (last == null || limit > 0 && model.config().splicedLength(prompt.ids()) > limit) {
            return prompt;
        }
        only = prompt;
        int ids = last.shared(prompt);
        if (ids > 0) {
            contexts.add(
                    last.fork(model.config().splicedLength(prompt.prefix(ids).ids())));
        }
        return prompt.suffix(ids);
    }

    private void forkPrefixes(LlavaModel.Spliced prefixes, int[] prefixOf) {
        List<KvContext> originals = new ArrayList<>();
        try {
            for (int i = 0; i < prefixes.lengths().length; i++) {
                originals.add(languageModel.open());
            }
            languageModel.read(chunks(originals, prefixes));
            for (int prefix : prefixOf) {
                contexts.add(originals.get(prefix).fork());
            }
        } finally {
            originals.forEach(KvContext::close);
        }
    }

    private float[] read(LlavaModel.Spliced sequences) {
        return languageModel.read(chunks(contexts, sequences));
    }

    private static List<CpuLlamaModel.Chunk> chunks(List<KvContext> contexts, LlavaModel.Spliced sequences) {
        return chunks(contexts, Tensors.toFloats(sequences.embeds()), sequences.lengths());
    }

    /**
     * Tokens to be read by each context.
     *
     * @param embeds {@code [contexts, longest, hidden]}
     * @param lengths tokens of each
     */
    private static List<CpuLlamaModel.Chunk> chunks(List<KvContext> contexts, float[] embeds, int[] lengths) {
        MemorySegment rows = MemorySegment.ofArray(embeds);
        long bytes = rows.byteSize() / contexts.size();
        List<CpuLlamaModel.Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < contexts.size(); i++) {
            chunks.add(new CpuLlamaModel.Chunk(contexts.get(i), rows.asSlice(i * bytes, bytes), lengths[i]));
        }
        return chunks;
    }

    @Override
    public float[] logits(int sequence) {
        int vocabulary = languageModel.config().vocabSize();
        return Arrays.copyOfRange(logits, sequence * vocabulary, (sequence + 1) * vocabulary);
    }

    @Override
    public int size() {
        return contexts.size();
    }

    @Override
    public void decodeStep(int[] tokens) {
        float[] embeds =
                languageModel.embed(Arrays.stream(tokens).asLongStream().toArray());
        int[] one = new int[tokens.length];
        Arrays.fill(one, 1);
        logits = languageModel.read(chunks(contexts, embeds, one));
        if (only != null) {
            decoded = Arrays.copyOf(decoded, decoded.length + 1);
            decoded[decoded.length - 1] = tokens[0];
        }
    }

    @Override
    public void keep(int[] kept) {
        List<KvContext> left = new ArrayList<>();
        for (int sequence : kept) {
            left.add(contexts.get(sequence));
        }
        contexts.stream().filter(context -> !left.contains(context)).forEach(KvContext::close);
        contexts = left;
    }

    @Override
    public boolean isBatchIndependent() {
        return true;
    }

    @Override
    public void close() {
        if (last != null && only != null && contexts.size() == 1) {
            last.remember(only.followedBy(decoded), contexts.getFirst());
        } else {
            contexts.forEach(KvContext::close);
        }
    }
}
