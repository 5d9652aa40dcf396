package io.llava4j.generate.schedule;

import io.llava4j.image.tile.ImageDigest;
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
    private final PromptLookup lookup;
    private int[] guesses = {};
    private @Nullable KvContext context;

    CpuSequence(Request request) {
        this.request = request;
        this.prompt = request.prompt();
        this.lookup = new PromptLookup(request.work().promptLookup());
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

    /** The next tokens of the prompt. */
    CpuLlamaModel.Chunk promptChunk(int tokens, CpuLlamaModel languageModel) {
        float[] embeds = prompt.embeds(length(), tokens, languageModel, imageTokens);
        return chunk(embeds, tokens, length() + tokens == prompt.length() ? 1 : 0);
    }

    /**
     * The last token chosen, and a guess at those after it.
     *
     * @param room for guesses
     */
    CpuLlamaModel.Chunk answerChunk(int room, CpuLlamaModel languageModel) {
        imageTokens.clear();
        if (lookup.guesses()) {
            guesses = lookup.guess(keys(length() + 1), Math.min(room, request.remainingTokens() - 1));
        }
        long[] ids = new long[1 + guesses.length];
        Arrays.setAll(ids, i -> i == 0 ? request.lastToken() : guesses[i - 1]);
        return chunk(languageModel.embed(ids), ids.length, ids.length);
    }

    private CpuLlamaModel.Chunk chunk(float[] embeds, int tokens, int wanted) {
        KvContext own = context;
        if (own == null) {
            throw new IllegalStateException("not begun");
        }
        return new CpuLlamaModel.Chunk(own, MemorySegment.ofArray(embeds), tokens, wanted);
    }

    /** The guess that was read with the last token. */
    int[] guesses() {
        return guesses;
    }

    /** Forgets guesses that were wrong. */
    void dropWrongGuesses() {
        if (context != null && guesses.length > 0) {
            int before = context.length() - guesses.length;
            int right = prompt.length() + request.answerTokens() - 1 - before;
            context.truncate(before + right);
            lookup.learn(guesses.length, right);
            guesses = new int[0];
        }
    }

    /** What identifies the first positions of prompt and answer. */
    long[] keys(int positions) {
        long[] keys = Arrays.copyOf(prompt.keys(), positions);
        int[] answer = request.answer();
        for (int i = prompt.length(); i < keys.length; i++) {
            keys[i] = answer[i - prompt.length()];
        }
        return keys;
    }
}
