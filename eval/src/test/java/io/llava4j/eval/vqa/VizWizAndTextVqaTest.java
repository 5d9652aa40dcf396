package io.llava4j.eval.vqa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VizWizAndTextVqaTest {
    @TempDir
    Path folder;

    @Test
    void vizWizNormalisesThePredictionOnly() {
        assertThat(vizwiz("two", "Two")).isZero();
        assertThat(vizwiz("2", "Two")).isEqualTo(1);
        // its table restores typographic apostrophes, but for a few words
        assertThat(vizwiz("don't", "dont")).isZero();
        assertThat(vizwiz("don\u2019t", "dont")).isEqualTo(1);
        assertThat(vizwiz("we've", "weve")).isEqualTo(1);
        assertThat(vizwiz("couldn't", "couldnt")).isEqualTo(1);
        assertThat(VqaAccuracy.Rule.M4C.accuracy(ten("Two"), "2")).isEqualTo(1);
    }

    private static double vizwiz(String truth, String prediction) {
        return VqaAccuracy.Rule.VIZWIZ.accuracy(ten(truth), prediction);
    }

    private static List<VqaAnnotation.HumanAnswer> ten(String text) {
        return Collections.nCopies(10, new VqaAnnotation.HumanAnswer(text, "yes", null));
    }

    @Test
    void everyQuestionOfVizWizsSplitMustBeAnswered() throws Exception {
        String answers = "[" + String.join(",", Collections.nCopies(10, "{\"answer\": \"unanswerable\"}")) + "]";
        Files.writeString(
                folder.resolve("val.json"),
                "[{\"image\": \"VizWiz_val_00000007.jpg\", \"question\": \"What?\","
                        + "\"answer_type\": \"unanswerable\", \"answerable\": 0, \"answers\": %s}]".formatted(answers));
        Path file = folder.resolve("answers.jsonl");
        Files.writeString(file, "not json\n{\"question_id\": 7, \"text\": \"Unanswerable\"}\n");
        Score score = Benchmarks.VIZWIZ.scorer().score(ScoreInput.official(Benchmarks.VIZWIZ.files(folder), file));
        assertThat(score.value()).isEqualTo(100);
        assertThat(score.warnings()).containsExactly("1 lines are not JSON and were left out");
        Files.writeString(file, "{\"question_id\": 8, \"text\": \"Unanswerable\"}\n");
        assertThatThrownBy(() ->
                        Benchmarks.VIZWIZ.scorer().score(ScoreInput.official(Benchmarks.VIZWIZ.files(folder), file)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1 questions have no answer (the first is 7)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "What?\nReference OCR token: a, b\nshort",
                "Reference OCR token: a\nWhat?\nshort",
                "What?\nshort",
                "OCR tokens: a, b. Question: What? Short answer:"
            })
    void textVqasQuestionIsCutOutOfThePrompt(String prompt) {
        assertThat(TextVqa.questionOf(prompt)).isEqualTo("What?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"What?", "a\nb\nc", "OCR tokens: a\nb", "a\nReference OCR token: b\nc\nd"})
    void otherPromptsAreRefused(String prompt) {
        assertThatThrownBy(() -> TextVqa.questionOf(prompt))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("none of the forms");
    }

    @Test
    void textVqaNeedsTenAnswersAndAnnotatedQuestions() throws Exception {
        Path annotations = folder.resolve("TextVQA_0.5.1_val.json");
        String entry =
                "{\"data\": [{\"image_id\": \"i\", \"question\": \"What?\", \"question_id\": 1, \"answers\": [%s]},"
                        + "{\"image_id\": \"i\", \"question\": \"Who?\", \"question_id\": 2, \"answers\": [%s]}]}";
        String ten = String.join(",", Collections.nCopies(10, "\"Two.\""));
        Files.writeString(annotations, entry.formatted(ten, ten));
        Path answers = folder.resolve("answers.jsonl");
        Files.writeString(answers, "{\"question_id\": \"i\", \"prompt\": \"WHAT?\\nshort\", \"text\": \"2\"}\n");
        Score score = Benchmarks.TEXTVQA
                .scorer()
                .score(new ScoreInput(Benchmarks.TEXTVQA.files(folder), answers, null, true));
        assertThat(score.value()).isEqualTo(100);
        assertThat(score.strictNumbers()).containsEntry("accuracy", 50.0);

        Files.writeString(annotations, entry.formatted("\"2\"", ten));
        assertThatThrownBy(() -> Benchmarks.TEXTVQA
                        .scorer()
                        .score(ScoreInput.official(Benchmarks.TEXTVQA.files(folder), answers)))
                .hasMessageContaining("question 1 has 1 human answers; the official code accepts exactly 10");
        Files.writeString(answers, "{\"question_id\": \"j\", \"prompt\": \"What?\\nshort\", \"text\": \"2\"}\n");
        assertThatThrownBy(() -> Benchmarks.TEXTVQA
                        .scorer()
                        .score(ScoreInput.official(Benchmarks.TEXTVQA.files(folder), answers)))
                .hasMessageContaining("no annotation for image j and question 'what?'");
    }
}
