package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.text.Turn;
import java.util.Collections;

/**
 * What is sent for a question: its text with an {@code <image>} for each of its images, where the text says or before it.
 * Several before it stand on one line with a space between them, as lmms-eval asks LLaVA.
 */
final class QuestionPrompt {
    private QuestionPrompt() {}

    /** @throws DataException if the text says {@code <image>} more or less often than there are images */
    static String of(Question question) {
        int named = question.text().split(Turn.IMAGE_PLACEHOLDER, -1).length - 1;
        int images = question.images().size();
        if (images == 0 && named > 0) {
            throw new DataException("question %s says %s but has no image; name one or remove the word"
                    .formatted(question.id(), Turn.IMAGE_PLACEHOLDER));
        }
        if (named > 0 && named != images) {
            throw new DataException("question %s says %s %d times but has %s or leave it out"
                    .formatted(
                            question.id(),
                            Turn.IMAGE_PLACEHOLDER,
                            named,
                            images == 1 ? "one image; write it once" : images + " images; write it once for each"));
        }
        return images == 0 || named > 0
                ? question.text()
                : String.join(" ", Collections.nCopies(images, Turn.IMAGE_PLACEHOLDER)) + "\n" + question.text();
    }
}
