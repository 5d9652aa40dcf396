package io.llava4j.eval.pope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PopeScorerTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "NO",
                "No!",
                "Nope",
                "none",
                "isn't",
                "Not at all",
                "No\nthere",
                "Yes",
                "Yes. There is no dog",
                "\tno",
                ".no"
            })
    void takenForYes(String answer) {
        assertThat(PopeScorer.saysYes(answer)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"No", "no", "No, there is none", "no,", "There is not one.", "No. Yes", "  no", "n,o"})
    void takenForNo(String answer) {
        assertThat(PopeScorer.saysYes(answer)).isFalse();
    }

    @Test
    void refusesAnAnswerToAnUnknownQuestion() {
        Answer answer = new Answer(QuestionId.of(9), "", "no", "", "");
        Question question = new Question(QuestionId.of(1), "a.png", "Is there a cat in the image?", "random");
        assertThatThrownBy(() ->
                        PopeScorer.score(List.of(question), Map.of(), List.of(answer), PopeScorer.Matching.OFFICIAL))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("question_id 9");
    }

    @Test
    void refusesAForeignFileAmongTheLabels(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("readme.txt"), "x");
        assertThatThrownBy(() -> PopeScorer.readLabels(folder))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("readme.txt");
    }

    @Test
    void namesFileAndLineOfABrokenLabel(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("coco_pope_random.json");
        Files.writeString(
                file,
                "\uFEFF{\"question_id\": 1, \"image\": \"a\", \"text\": \"t\", \"label\": \"no\"}\r\n{\"question_id\": 2,\n");
        assertThatThrownBy(() -> PopeScorer.readLabels(folder))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("coco_pope_random.json line 2");
    }
}
