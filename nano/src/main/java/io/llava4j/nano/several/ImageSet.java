package io.llava4j.nano.several;

import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Scene;
import java.util.ArrayList;
import java.util.List;

/**
 * A question about several images.
 *
 * @param kind what is asked, such as {@code same_2}: the number is that of the images
 * @param scenes in the order of the prompt
 * @param question without a response format
 * @param answer a word or a phrase
 */
record ImageSet(String kind, List<Scene> scenes, String question, String answer) {
    /** How questions and answers name images. */
    static final List<String> PLACES = List.of("first", "second", "third");

    /**
     * The response-format prompt: first what is seen, then the answer. A small model that has to answer at once does no better with all
     * images than with the first alone (docs/findings.md#several-images).
     */
    private static final String FORMAT = "Say what each image shows, then answer with a single word or phrase.";

    /** The question with its response format. */
    String prompt() {
        return question + "\n" + FORMAT;
    }

    /** What each image shows, in a sentence, and the answer: "The first image shows a cat. ... The answer is yes." */
    String reply() {
        List<String> sentences = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            String things = Wording.counted(scenes.get(i).objects());
            sentences.add("The %s image shows %s.".formatted(PLACES.get(i), things));
        }
        sentences.add("The answer is %s.".formatted(answer));
        return String.join(" ", sentences);
    }
}
