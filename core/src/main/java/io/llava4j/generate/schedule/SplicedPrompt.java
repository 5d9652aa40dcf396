package io.llava4j.generate.schedule;

import io.llava4j.generate.schedule.cache.ImageDigest;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A prompt as the language model reads it: a position for each text token and for each image token. */
final class SplicedPrompt {
    /**
     * An image in the prompt.
     *
     * @param from position of its first token
     */
    record Placed(int from, ImageDigest digest, float[] pixels) {}

    private final long[] keys;
    private final int tokensPerImage;
    private final List<Placed> images = new ArrayList<>();

    /** @param digests of images that were hashed before, by identity; further ones are added */
    SplicedPrompt(ImagePrompt prompt, int tokensPerImage, Map<float[], ImageDigest> digests) {
        this.tokensPerImage = tokensPerImage;
        int placeholders = ImagePrompt.placeholders(prompt.ids());
        keys = new long[prompt.ids().length + placeholders * (tokensPerImage - 1)];
        int at = 0;
        for (int id : prompt.ids()) {
            if (id != Prompt.IMAGE_TOKEN_INDEX) {
                keys[at++] = id;
                continue;
            }
            float[] pixels = prompt.images().get(images.size());
            Placed image = new Placed(at, digests.computeIfAbsent(pixels, ImageDigest::of), pixels);
            images.add(image);
            for (int token = 0; token < tokensPerImage; token++) {
                keys[at++] = image.digest().key(token);
            }
        }
    }

    /** What identifies each position; prompts with the same keys are read alike. */
    long[] keys() {
        return keys;
    }

    int length() {
        return keys.length;
    }

    /** Positions at the start that both prompts have in common; at least one of this prompt's is left to be read. */
    int sharedPrefix(SplicedPrompt other) {
        int mismatch = Arrays.mismatch(keys, other.keys);
        return Math.min(mismatch < 0 ? keys.length : mismatch, keys.length - 1);
    }

    /** Images with tokens at or after a position. */
    List<Placed> imagesFrom(int position) {
        return images.stream()
                .filter(image -> image.from() + tokensPerImage > position)
                .toList();
    }

    /**
     * What the language model reads at some positions.
     *
     * @param tokens of the images there, {@code [tokens, hidden]}
     * @return {@code [count, hidden]}
     */
    float[] embeds(int from, int count, CpuLlamaModel languageModel, Map<ImageDigest, float[]> tokens) {
        int width = languageModel.config().hiddenSize();
        float[] rows = new float[count * width];
        float[] text = languageModel.embed(
                Arrays.stream(keys, from, from + count).filter(key -> key >= 0).toArray());
        int texts = 0;
        for (int i = 0; i < count; i++) {
            if (keys[from + i] >= 0) {
                System.arraycopy(text, width * texts++, rows, width * i, width);
            }
        }
        for (Placed image : images) {
            int first = Math.max(image.from(), from);
            int last = Math.min(image.from() + tokensPerImage, from + count);
            float @Nullable [] source = tokens.get(image.digest());
            if (first < last && source != null) {
                System.arraycopy(
                        source, width * (first - image.from()), rows, width * (first - from), width * (last - first));
            }
        }
        return rows;
    }
}
