package io.llava4j.generate.session;

import io.llava4j.DataException;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token ids of a prompt and the images of its placeholders.
 *
 * @param ids with {@link Prompt#IMAGE_TOKEN_INDEX} for an image
 * @param images one for each placeholder; the same object is the same image
 */
public record ImagePrompt(int[] ids, List<PreparedImage> images) {
    /**
     * Gives each prompt its images.
     *
     * @param placed images of all placeholders in order
     * @throws DataException if there are not as many images as placeholders
     */
    public static List<ImagePrompt> of(List<int[]> prompts, List<PreparedImage> placed) {
        int placeholders = prompts.stream().mapToInt(ImagePrompt::placeholders).sum();
        if (placeholders != placed.size()) {
            throw new DataException("the prompts have " + placeholders + " image placeholders for " + placed.size()
                    + " images; give one image for each");
        }
        List<ImagePrompt> result = new ArrayList<>();
        int from = 0;
        for (int[] ids : prompts) {
            int to = from + placeholders(ids);
            result.add(new ImagePrompt(ids, placed.subList(from, to)));
            from = to;
        }
        return result;
    }

    /** Images that ids show. */
    public static int placeholders(int[] ids) {
        return (int)
                Arrays.stream(ids).filter(id -> id == Prompt.IMAGE_TOKEN_INDEX).count();
    }

    /** Tokens that the language model reads of it, image tokens included, before any truncation. */
    public int length(LlavaConfig config) {
        return config.splicedLength(ids, images);
    }

    /** Its first {@code count} ids. */
    public ImagePrompt prefix(int count) {
        int[] head = Arrays.copyOf(ids, count);
        return new ImagePrompt(head, images.subList(0, placeholders(head)));
    }

    /** What follows its first {@code count} ids. */
    public ImagePrompt suffix(int count) {
        int[] tail = Arrays.copyOfRange(ids, count, ids.length);
        return new ImagePrompt(tail, images.subList(images.size() - placeholders(tail), images.size()));
    }

    /** Length in ids of the prefix that two prompts share, with the same images in it. */
    public int sharedPrefix(ImagePrompt other) {
        int image = 0;
        int shorter = Math.min(ids.length, other.ids.length);
        for (int i = 0; i < shorter; i++) {
            if (ids[i] != other.ids[i]) {
                return i;
            }
            if (ids[i] == Prompt.IMAGE_TOKEN_INDEX) {
                if (!images.get(image).equals(other.images.get(image))) {
                    return i;
                }
                image++;
            }
        }
        return shorter;
    }
}
