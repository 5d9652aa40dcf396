package io.llava4j.eval.pope;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Goldens;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class PopeGoldenTest {
    @ParameterizedTest
    @ValueSource(strings = {"answers", "answers_truncated", "answers_shuffled"})
    void everyOfficialNumberIsEqualToTheLastBit(String run) {
        JsonNode expected =
                Goldens.json(Goldens.path("evalgold/pope/expected.json")).get(run);
        PopeScore score = score(run, PopeScorer.Matching.OFFICIAL);

        assertThat(score.splits()).hasSize(expected.get("categories").size());
        score.splits().forEach((name, split) -> {
            JsonNode numbers = expected.get("categories").get(name);
            assertThat(split.answers()).isEqualTo(numbers.get("samples").intValue());
            assertThat(split.truePositives()).isEqualTo(numbers.get("TP").intValue());
            assertThat(split.falsePositives()).isEqualTo(numbers.get("FP").intValue());
            assertThat(split.trueNegatives()).isEqualTo(numbers.get("TN").intValue());
            assertThat(split.falseNegatives()).isEqualTo(numbers.get("FN").intValue());
            assertThat(split.accuracy()).isEqualTo(numbers.get("accuracy").doubleValue());
            assertThat(split.precision()).isEqualTo(numbers.get("precision").doubleValue());
            assertThat(split.recall()).isEqualTo(numbers.get("recall").doubleValue());
            assertThat(split.f1()).isEqualTo(numbers.get("f1").doubleValue());
            assertThat(split.yesRatio()).isEqualTo(numbers.get("yes_ratio").doubleValue());
            assertThat(split.printed()).isEqualTo(numbers.get("printed").stringValue());
        });
        assertThat(score.meanF1())
                .isEqualTo(expected.get("mean_f1_over_categories").doubleValue());
        JsonNode parsed = expected.get("per_question_parsed");
        assertThat(score.parsed()).hasSize(parsed.size());
        score.parsed()
                .forEach((id, yes) -> assertThat(yes ? "yes" : "no")
                        .as(id.value())
                        .isEqualTo(parsed.get(id.value()).stringValue()));
    }

    @Test
    void whereThereIsNoYesTheOfficialScriptStopsAndWeWarn() {
        PopeScore score = score("answers_all_no", PopeScorer.Matching.OFFICIAL);
        assertThat(score.splits().values()).noneMatch(SplitScore::definedByOfficialScript);
        assertThat(score.meanF1()).isZero();
        assertThat(score.warnings()).hasSize(3).allMatch(w -> w.contains("division by zero"));
    }

    @Test
    void strictMatchingIsIndependentOfTheOrderOfAnswers() {
        PopeScore ordered = score("answers", PopeScorer.Matching.STRICT);
        PopeScore shuffled = score("answers_shuffled", PopeScorer.Matching.STRICT);
        assertThat(shuffled.splits()).isEqualTo(ordered.splits());
        assertThat(ordered.splits())
                .isEqualTo(score("answers", PopeScorer.Matching.OFFICIAL).splits());
        assertThat(ordered.warnings()).isEmpty();
        assertThat(shuffled.warnings()).hasSize(3).allMatch(w -> w.contains("by position"));
        assertThat(score("answers_truncated", PopeScorer.Matching.STRICT).warnings())
                .anyMatch(w -> w.contains("113 answers for 120 labels"));
    }

    private static PopeScore score(String run, PopeScorer.Matching matching) {
        Path folder = Goldens.path("evalgold/pope");
        return PopeScorer.score(
                QuestionFile.read(folder.resolve(PopeFiles.QUESTIONS)),
                PopeScorer.readLabels(folder.resolve(PopeFiles.LABELS)),
                AnswerFile.read(folder.resolve(run + ".jsonl")),
                matching);
    }
}
