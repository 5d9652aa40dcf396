package io.llava4j.train.data.raw;

import io.llava4j.text.Turn;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One thing a data set says about an image, before any rule of a mixture was applied. */
public sealed interface Annotation extends Serializable {
    /**
     * A question with the answers people gave.
     *
     * @param text of the question
     * @param answers at least one, in the file's order
     * @param agreed the data set's own choice among them; null if it makes none
     */
    record Question(
            String text, List<String> answers, @Nullable String agreed) implements Annotation {}

    /**
     * A multiple-choice question.
     *
     * @param text of the question
     * @param options at least two
     * @param correct place of the right one
     */
    record Choice(String text, List<String> options, int correct) implements Annotation {}

    /**
     * A part of the image in words.
     *
     * @param phrase as annotated
     * @param x left edge in pixels
     * @param y top edge in pixels
     * @param width in pixels
     * @param height in pixels
     */
    record Region(String phrase, double x, double y, double width, double height) implements Annotation {}

    /**
     * The whole image in one sentence.
     *
     * @param text as annotated
     * @param readText words that were read from the image by a machine; empty if there are none
     */
    record Caption(String text, List<String> readText) implements Annotation {}

    /**
     * A finished conversation in LLaVA's own form.
     *
     * @param turns alternating, human first; {@code <image>} stands in them already
     */
    record Dialogue(List<Turn> turns) implements Annotation {}

    /** A conversation as people shared it: any speakers in any order. */
    record Chat(List<Message> messages) implements Annotation {}

    /**
     * @param from speaker as the file names it
     * @param value what was said
     */
    record Message(String from, String value) implements Serializable {}
}
