package io.llava4j.generate;

import java.util.ArrayList;
import java.util.List;

/**
 * What the prompts of a batch have in common: questions about one image share everything up to the question. Prompts
 * with the same first image share a beginning, prompts without images another.
 *
 * @param sequences the beginnings; each leaves at least one id of every prompt that has it
 * @param rowOf which of them each prompt has
 */
record SharedPrefixes(List<ImagePrompt> sequences, int[] rowOf) {
    static SharedPrefixes of(List<ImagePrompt> prompts) {
        List<ImagePrompt> sequences = new ArrayList<>();
        int[] rowOf = new int[prompts.size()];
        for (int row = 0; row < rowOf.length; row++) {
            ImagePrompt prompt = prompts.get(row);
            ImagePrompt all = prompt.first(Math.max(0, prompt.ids().length - 1));
            rowOf[row] = find(prompts, rowOf, row);
            if (rowOf[row] < 0) {
                rowOf[row] = sequences.size();
                sequences.add(all);
            } else {
                sequences.set(rowOf[row], all.first(all.common(sequences.get(rowOf[row]))));
            }
        }
        return new SharedPrefixes(List.copyOf(sequences), rowOf);
    }

    private static int find(List<ImagePrompt> prompts, int[] rowOf, int row) {
        for (int earlier = 0; earlier < row; earlier++) {
            if (firstImage(prompts.get(earlier)) == firstImage(prompts.get(row))) {
                return rowOf[earlier];
            }
        }
        return -1;
    }

    private static float[] firstImage(ImagePrompt prompt) {
        return prompt.images().isEmpty() ? NONE : prompt.images().getFirst();
    }

    private static final float[] NONE = {};

    /** What each prompt goes on with behind its beginning. */
    List<ImagePrompt> rests(List<ImagePrompt> prompts) {
        List<ImagePrompt> rests = new ArrayList<>();
        for (int row = 0; row < rowOf.length; row++) {
            rests.add(prompts.get(row).behind(sequences.get(rowOf[row]).ids().length));
        }
        return rests;
    }
}
