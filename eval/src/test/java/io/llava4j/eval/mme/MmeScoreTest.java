package io.llava4j.eval.mme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MmeScoreTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "Yes, yes",
        "no, no",
        "'Yes, it is', yes",
        "Know, no",
        "snow, no",
        "noyes, no",
        "'not s', no",
        "'    yes', other",
        "maybe, other",
        "'', other"
    })
    void labelsAreLookedForInFourCharacters(String answer, String label) {
        assertThat(new MmeScore.Line("1.txt", "q", "Yes", answer + "\n").label())
                .isEqualTo(label);
    }

    @Test
    void aTabOrNewlineInAnAnswerBreaksTheFile() {
        assertThatThrownBy(() -> MmeScore.parse("count", "1.txt\tq\tYes\tyes\tno\n"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("count line 1: has 5 fields instead of 4");
        assertThatThrownBy(() -> MmeScore.parse("count", "1.txt\tq\tYes\tyes\nindeed\n"))
                .hasMessageContaining("count line 2");
    }

    @Test
    void everyCategoryNeedsPairs() throws Exception {
        for (String category : MmeKeys.categories()) {
            Files.writeString(folder.resolve(category + ".txt"), "1.txt\tq\tYes\tYes\r\n1.txt\tr\tNo\tYes\r\n");
        }
        Score score = score();
        assertThat(score.value()).isEqualTo(500);
        assertThat(score.numbers()).containsEntry("cognition", 200.0).containsEntry("OCR", 50.0);
        assertThat(score.perQuestion()).hasSize(28).containsEntry("OCR/1.txt: r", 0.0);

        Files.writeString(folder.resolve("OCR.txt"), "1.txt\tq\tYes\tYes\n");
        assertThatThrownBy(this::score).hasMessageContaining("OCR: has 1 answers; MME needs two for every image");
        Files.delete(folder.resolve("OCR.txt"));
        assertThatThrownBy(this::score).hasMessageContaining("OCR: has 0 answers");
    }

    @Test
    void strictPairsByImageAndReadsTheFirstWord() {
        Map<String, List<MmeScore.Line>> lines = new HashMap<>();
        for (String category : MmeKeys.categories()) {
            lines.put(
                    category,
                    MmeScore.parse(
                            category,
                            "1.txt\ta\tYes\tYes.\n2.txt\ta\tNo\tyes\n1.txt\tb\tNo\tNo, never\n2.txt\tb\tNo\tsnow\n"));
        }
        assertThat(Objects.requireNonNull(MmeScore.of(lines).tasks().get("OCR")).score())
                .isEqualTo(75 + 50);
    }

    private Score score() {
        return Benchmarks.MME
                .scorer()
                .score(new ScoreInput(Benchmarks.MME.files(folder.resolve("none")), folder, null, true));
    }
}
