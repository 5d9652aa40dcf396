package io.llava4j.eval.vqa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VqaAccuracyTest {
    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0.3", "2, 0.6", "3, 0.9", "4, 1", "9, 1"})
    void leaveOneOutOverTenAnswers(int agreeing, double accuracy) {
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            answers.add(i < agreeing ? "cat" : "dog");
        }
        assertThat(VqaAccuracy.Rule.VQA.accuracy(humans(answers), "cat")).isCloseTo(accuracy, within(1e-12));
    }

    @Test
    void answersAreLeftAsTheyAreWherePeopleAgree() {
        List<String> unanimous = Collections.nCopies(10, "yes");
        assertThat(VqaAccuracy.Rule.VQA.accuracy(humans(unanimous), "Yes")).isZero();
        assertThat(VqaAccuracy.Rule.VQA.accuracy(humans(unanimous), " yes\n")).isEqualTo(1);

        List<String> divided = new ArrayList<>(unanimous);
        divided.set(9, "no");
        assertThat(VqaAccuracy.Rule.VQA.accuracy(humans(divided), "Yes.")).isEqualTo(1);
    }

    @Test
    void identicalEntriesAreLeftOutTogetherAsInTheOfficialCode() {
        VqaAnnotation.HumanAnswer same = new VqaAnnotation.HumanAnswer("cat", null, null);
        List<VqaAnnotation.HumanAnswer> humans = Collections.nCopies(10, same);
        assertThat(VqaAccuracy.Rule.VQA.accuracy(humans, "cat")).isZero();
    }

    @Test
    void refusesAnswersThatDoNotCoverTheAnnotations() {
        VqaAnnotation annotation = new VqaAnnotation(QuestionId.of(1), "is", "yes/no", humans(List.of("yes")));
        assertThatThrownBy(() -> VqaAccuracy.score(List.of(annotation), Map.of(QuestionId.of("1"), "yes")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1 without an answer [1]")
                .hasMessageContaining("1 answers to unknown questions [1]");
    }

    @Test
    void tableHasAllContractionsOfTheOriginal() {
        assertThat(VqaWordRules.CONTRACTIONS).hasSize(120);
        assertThat(M4cNormaliser.normalise("somebody'd")).isEqualTo("somebodyd");
        assertThat(M4cNormaliser.normalise("Im")).isEqualTo("im");
        assertThat(OfficialVqaNormaliser.normalise("'ow'sat")).isEqualTo("'ow's'at");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "The Dog's bowl | dog 's bowl",
                "St. John. | st john",
                "what is 1,000.50? | what is 1000.50",
                "T-shirt (red) | t shirt red",
                "Let's go | let 's go",
                "A.B.C | abc",
                "10:30 | 10:30",
                "Two | 2",
                "2,000 | 2000",
                "black-white | black white",
                "black- white | black white",
                "man's, eh? | man 's eh",
                "dont | don't",
                "weve a cat | we've cat",
                "$5.00 | $5.00",
                "none | 0"
            })
    void m4cProcessorOfTheSpecification(String raw, String expected) {
        assertThat(M4cNormaliser.normalise(raw)).isEqualTo(expected);
    }

    @Test
    void onlyThirtyTwoPeriodsGoAndDigitsAreThoseOfAnyScript() {
        assertThat(M4cNormaliser.normalise("a.".repeat(40))).isEqualTo("a".repeat(33) + ".a".repeat(7) + ".");
        assertThat(M4cNormaliser.normalise("1.\u0665 x. y")).isEqualTo("1.\u0665 x y");
        assertThat(OfficialVqaNormaliser.normalise("1,000 red-hot")).isEqualTo("1000 redhot");
        assertThat(OfficialVqaNormaliser.normalise("a\u00a0the\u2028cat\u200b")).isEqualTo("cat\u200b");
    }

    @Test
    void reportsRecordAndFieldOfABadAnnotation(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("annotations.json");
        Files.writeString(file, """
                {"info": {"year": NaN}, "annotations": [
                 {"question_id": 1, "question_type": "is", "answer_type": "yes/no", "answers": [{"answer": "yes"}]},
                 {"question_id": 2, "question_type": "is", "answer_type": "yes/no", "answers": [{"answer": 7}]}]}
                """);
        assertThatThrownBy(() -> VqaFiles.readAnnotations(file))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("annotations.json, annotations[1], answers[0]")
                .hasMessageContaining("'answer' must be a string, found 7");

        Files.writeString(file, "{\"annotations\": [\n{\"question_id\": 1,\n");
        assertThatThrownBy(() -> VqaFiles.readAnnotations(file))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("annotations.json line");
    }

    private static List<VqaAnnotation.HumanAnswer> humans(List<String> answers) {
        List<VqaAnnotation.HumanAnswer> humans = new ArrayList<>();
        for (String answer : answers) {
            humans.add(new VqaAnnotation.HumanAnswer(answer, "yes", QuestionId.of(humans.size() + 1)));
        }
        return humans;
    }
}
