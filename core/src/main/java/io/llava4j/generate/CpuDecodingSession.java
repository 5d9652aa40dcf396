package io.llava4j.generate;

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
    private List<KvContext> contexts = new ArrayList<>();
    private float[] logits;

    CpuDecodingSession(
            LlavaModel model, CpuLlamaModel languageModel, List<ImagePrompt> prompts, @Nullable SharedPrefixes shared) {
        this.languageModel = languageModel;
        List<float[]> images = new ArrayList<>();
        prompts.forEach(prompt -> images.addAll(prompt.images()));
        try {
            this.logits = Engine.scope("prefill", () -> {
                EncodedImages encoded = EncodedImages.oneByOne(model, images);
                List<ImagePrompt> unread = prompts;
                if (shared == null) {
                    prompts.forEach(prompt -> contexts.add(languageModel.open()));
                } else {
                    forkPrefixes(encoded.assemble(model, shared.prefixes()), shared.prefixOf());
                    unread = shared.suffixes(prompts);
                }
                return read(encoded.assemble(model, unread));
            });
        } catch (RuntimeException e) {
            close();
            throw e;
        }
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
        MemorySegment embeds = MemorySegment.ofArray(Tensors.toFloats(sequences.embeds()));
        long bytes = embeds.byteSize() / contexts.size();
        List<CpuLlamaModel.Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < contexts.size(); i++) {
            chunks.add(new CpuLlamaModel.Chunk(
                    contexts.get(i), embeds.asSlice(i * bytes, bytes), sequences.lengths()[i]));
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
        MemorySegment embeds = MemorySegment.ofArray(
                languageModel.embed(Arrays.stream(tokens).asLongStream().toArray()));
        long bytes = embeds.byteSize() / tokens.length;
        List<CpuLlamaModel.Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            chunks.add(new CpuLlamaModel.Chunk(contexts.get(i), embeds.asSlice(i * bytes, bytes), 1));
        }
        logits = languageModel.read(chunks);
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
        contexts.forEach(KvContext::close);
    }
}
