package io.llava4j.generate.schedule;

import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.KvContext;
import io.llava4j.model.cpu.KvPage;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request that the CPU kernels read: what was read of it, and the image tokens that it still needs. */
final class CpuSequence {
    private final Request request;
    private final SplicedPrompt prompt;
    private final Map<ImageDigest, float[]> imageTokens = new HashMap<>();
    private @Nullable KvContext context;

    CpuSequence(Request request) {
        this.request = request;
        this.prompt = request.prompt();
    }

    Request request() {
        return request;
    }

    SplicedPrompt prompt() {
        return prompt;
    }

    /** Begins with a context that may have read a part of the prompt. */
    void begin(KvContext begun) {
        context = begun;
        request.cached(begun.length());
    }

    boolean hasBegun() {
        return context != null;
    }

    @Nullable
    KvContext context() {
        return context;
    }

    /** Memory of the keys and values so far, shared ones included. */
    long bytes() {
        return context == null
                ? 0
                : context.pages().stream().mapToLong(KvPage::bytes).sum();
    }

    /** Positions read so far. */
    int length() {
        return context == null ? 0 : context.length();
    }

    boolean isPromptRead() {
        return length() >= prompt.length();
    }

    /** An image whose tokens are to be read and are not known; null if there is none. */
    SplicedPrompt.@Nullable Placed missingImage() {
        if (isPromptRead()) {
            return null;
        }
        return prompt.imagesFrom(length()).stream()
                .filter(image -> !imageTokens.containsKey(image.digest()))
                .findFirst()
                .orElse(null);
    }

    /** Takes the tokens of an image, if it shows it and is still to read it. */
    void know(ImageDigest image, float[] tokens) {
        if (prompt.imagesFrom(length()).stream()
                .anyMatch(placed -> placed.digest().equals(image))) {
            imageTokens.put(image, tokens);
        }
    }

    /** The next tokens of the prompt, or the last one chosen. */
    CpuLlamaModel.Chunk chunk(int tokens, CpuLlamaModel languageModel) {
        KvContext own = context;
        if (own == null) {
            throw new IllegalStateException("not begun");
        }
        float[] embeds;
        if (isPromptRead()) {
            imageTokens.clear();
            embeds = languageModel.embed(request.lastToken());
        } else {
            embeds = prompt.embeds(own.length(), tokens, languageModel, imageTokens);
        }
        return new CpuLlamaModel.Chunk(own, MemorySegment.ofArray(embeds), tokens);
    }

    /** What identifies the positions that were read, of prompt and answer. */
    long[] readKeys() {
        long[] keys = Arrays.copyOf(prompt.keys(), length());
        int[] answer = request.answer();
        for (int i = prompt.length(); i < keys.length; i++) {
            keys[i] = answer[i - prompt.length()];
        }
        return keys;
    }
}
