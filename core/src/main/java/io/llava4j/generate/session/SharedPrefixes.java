package io.llava4j.generate.session;

import io.llava4j.image.tile.PreparedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Prefixes that the prompts of a batch share: questions about one image have everything up to the question in common.
 * Prompts with the same first image share a prefix, and prompts without images share another.
 *
 * @param prefixes each leaves at least one id of every prompt that has it
 * @param prefixOf for each prompt, the index of its prefix
 */
public record SharedPrefixes(List<ImagePrompt> prefixes, int[] prefixOf) {
    private static final PreparedImage NO_IMAGE = PreparedImage.of(new float[0]);

    public static SharedPrefixes of(List<ImagePrompt> prompts) {
        List<ImagePrompt> prefixes = new ArrayList<>();
        int[] prefixOf = new int[prompts.size()];
        for (int i = 0; i < prefixOf.length; i++) {
            ImagePrompt prompt = prompts.get(i);
            ImagePrompt longest = prompt.prefix(Math.max(0, prompt.ids().length - 1));
            int shared = prefixOfEarlier(prompts, prefixOf, i);
            if (shared < 0) {
                prefixOf[i] = prefixes.size();
                prefixes.add(longest);
            } else {
                prefixOf[i] = shared;
                prefixes.set(shared, longest.prefix(longest.sharedPrefix(prefixes.get(shared))));
            }
        }
        return new SharedPrefixes(List.copyOf(prefixes), prefixOf);
    }

    /** The prefix of an earlier prompt with the same first image, or -1. */
    private static int prefixOfEarlier(List<ImagePrompt> prompts, int[] prefixOf, int prompt) {
        for (int earlier = 0; earlier < prompt; earlier++) {
            if (firstImage(prompts.get(earlier)) == firstImage(prompts.get(prompt))) {
                return prefixOf[earlier];
            }
        }
        return -1;
    }

    private static PreparedImage firstImage(ImagePrompt prompt) {
        return prompt.images().isEmpty() ? NO_IMAGE : prompt.images().getFirst();
    }

    /** What each prompt has after its prefix. */
    public List<ImagePrompt> suffixes(List<ImagePrompt> prompts) {
        List<ImagePrompt> suffixes = new ArrayList<>();
        for (int i = 0; i < prefixOf.length; i++) {
            suffixes.add(prompts.get(i).suffix(prefixes.get(prefixOf[i]).ids().length));
        }
        return suffixes;
    }
}
