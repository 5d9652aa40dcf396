package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.text.Turn;

/** What is sent for a question: its text with one {@code <image>} if it has an image, where the text says or before it. */
final class QuestionPrompt {
    private QuestionPrompt() {}

    /** @throws DataException if the text says {@code <image>} without an image, or more than once */
    static String of(Question question) {
        int named = question.text().split(Turn.IMAGE_PLACEHOLDER, -1).length - 1;
        if (question.image() == null) {
            if (named > 0) {
                throw new DataException("question %s says %s but has no image; name one or remove the word"
                        .formatted(question.id(), Turn.IMAGE_PLACEHOLDER));
            }
            return question.text();
        }
        if (named > 1) {
            throw new DataException("question %s says %s %d times but has one image; write it once or leave it out"
                    .formatted(question.id(), Turn.IMAGE_PLACEHOLDER, named));
        }
        return named == 1 ? question.text() : Turn.IMAGE_PLACEHOLDER + "\n" + question.text();
    }
}
