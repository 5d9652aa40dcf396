package io.llava4j.generate.schedule;

import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.tile.ImageDigest;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
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
     * @param to position after its last token
     */
    record Placed(int from, int to, ImageDigest digest, PreparedImage image) {}

    private final long[] keys;
    private final List<Placed> images = new ArrayList<>();

    /** @param digests of images that were hashed before, by identity; further ones are added */
    SplicedPrompt(ImagePrompt prompt, LlavaConfig config, Map<PreparedImage, ImageDigest> digests) {
        keys = new long[prompt.length(config)];
        int at = 0;
        for (int id : prompt.ids()) {
            if (id != Prompt.IMAGE_TOKEN_INDEX) {
                keys[at++] = id;
                continue;
            }
            PreparedImage prepared = prompt.images().get(images.size());
            int tokens = prepared.order().tokens(config.tokensPerView());
            ImageDigest digest = digests.computeIfAbsent(prepared, ImageDigest::of);
            images.add(new Placed(at, at + tokens, digest, prepared));
            for (int token = 0; token < tokens; token++) {
                keys[at++] = digest.key(token);
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

    /** Tokens of its images. */
    int imageTokens() {
        return images.stream().mapToInt(image -> image.to() - image.from()).sum();
    }

    /** Positions at the start that both prompts have in common; at least one of this prompt's is left to be read. */
    int sharedPrefix(SplicedPrompt other) {
        int mismatch = Arrays.mismatch(keys, other.keys);
        return Math.min(mismatch < 0 ? keys.length : mismatch, keys.length - 1);
    }

    /** Images with tokens at or after a position. */
    List<Placed> imagesFrom(int position) {
        return images.stream().filter(image -> image.to() > position).toList();
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
            int last = Math.min(image.to(), from + count);
            float @Nullable [] source = tokens.get(image.digest());
            if (first < last && source != null) {
                System.arraycopy(
                        source, width * (first - image.from()), rows, width * (first - from), width * (last - first));
            }
        }
        return rows;
    }
}
