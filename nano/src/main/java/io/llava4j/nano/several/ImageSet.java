package io.llava4j.nano.several;

import io.llava4j.nano.world.Scene;
import java.util.List;

/**
 * A question about several images.
 *
 * @param kind what is asked, such as {@code same_2}: the number is that of the images
 * @param scenes in the order of the prompt
 * @param question without a response format
 * @param answer a word or a phrase
 */
record ImageSet(String kind, List<Scene> scenes, String question, String answer) {}
