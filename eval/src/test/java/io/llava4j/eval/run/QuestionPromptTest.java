package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A question that says {@code <image>} already is asked as it stands, or refused by its number. */
class QuestionPromptTest {
    @Test
    void anImageHasOnePlaceholder() {
        assertThat(prompt("a.jpg", "What?")).isEqualTo("<image>\nWhat?");
        assertThat(prompt("a.jpg", "")).isEqualTo("<image>\n");
        assertThat(prompt("a.jpg", "<image>\nWhat?")).isEqualTo("<image>\nWhat?");
        assertThat(prompt("a.jpg", "What is in <image>?")).isEqualTo("What is in <image>?");
        assertThat(prompt("a.jpg", "<image>")).isEqualTo("<image>");
        assertThat(prompt(null, "What?")).isEqualTo("What?");
    }

    @Test
    void otherNumbersAreRefused() {
        assertThatThrownBy(() -> prompt("a.jpg", "<image>\n<image>\nWhat?"))
                .hasMessage("question 7 says <image> 2 times but has one image; write it once or leave it out");
        assertThatThrownBy(() -> prompt(null, "<image>\nWhat?"))
                .hasMessage("question 7 says <image> but has no image; name one or remove the word");
    }

    @Test
    void severalImagesStandBeforeTheTextOrWhereItSays() {
        Question two = new Question(QuestionId.of(7), List.of("a.jpg", "b.jpg"), "Which?", "default", null);
        assertThat(QuestionPrompt.of(two)).isEqualTo("<image> <image>\nWhich?");
        Question named = new Question(two.id(), two.images(), "<image> or <image>?", "default", null);
        assertThat(QuestionPrompt.of(named)).isEqualTo("<image> or <image>?");
        Question once = new Question(two.id(), two.images(), "<image> or what?", "default", null);
        assertThatThrownBy(() -> QuestionPrompt.of(once))
                .hasMessage("question 7 says <image> 1 times but has 2 images; write it once for each or leave it out");
    }

    private static String prompt(@Nullable String image, String text) {
        return QuestionPrompt.of(new Question(QuestionId.of(7), image, text, "default"));
    }
}
