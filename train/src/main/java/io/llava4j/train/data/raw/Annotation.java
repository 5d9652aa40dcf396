package io.llava4j.train.data.raw;

import io.llava4j.text.Turn;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One annotation of an image, or a conversation, as the data set has it, before any rule of a mixture is applied. */
public sealed interface Annotation extends Serializable {
    /**
     * A question with the answers people gave.
     *
     * @param text of the question
     * @param answers at least one, in the file's order
     * @param agreed the answer that the data set itself chose; null if it chose none
     */
    record Question(
            String text, List<String> answers, @Nullable String agreed) implements Annotation {}

    /**
     * A multiple-choice question.
     *
     * @param text of the question
     * @param options at least two
     * @param correct index of the right option, from 0
     */
    record Choice(String text, List<String> options, int correct) implements Annotation {}

    /**
     * A description of a region of the image.
     *
     * @param phrase as annotated
     * @param x left edge in pixels
     * @param y top edge in pixels
     * @param width in pixels
     * @param height in pixels
     */
    record Region(String phrase, double x, double y, double width, double height) implements Annotation {}

    /**
     * A caption of the whole image.
     *
     * @param text as annotated
     * @param readText OCR tokens of the image; may be empty
     */
    record Caption(String text, List<String> readText) implements Annotation {}

    /**
     * A finished conversation in LLaVA's format.
     *
     * @param turns alternating, human first, with {@code <image>} in them
     */
    record Dialogue(List<Turn> turns) implements Annotation {}

    /** A shared conversation, with any speakers in any order. */
    record Chat(List<Message> messages) implements Annotation {}

    /**
     * @param from speaker as the file names it
     * @param value what was said
     */
    record Message(String from, String value) implements Serializable {}
}
