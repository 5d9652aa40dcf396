package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ExercisesTest {
    private static Exercises exercises;

    @BeforeAll
    static void load() {
        exercises = new NanoText(new Sprites(Drawings.load()), 4).exercises();
    }

    @Test
    void everyOptionIsAskedForOnceAndAnsweredWithItsLetter() {
        int inChinese = 0;
        for (int i = 0; i < 200; i++) {
            List<Exercises.Part> parts = exercises.optionRecall(i).parts();
            Map<String, String> letters = options(parts.getFirst().text());
            assertThat(parts).hasSize(1 + 2 * letters.size());
            boolean chinese = false;
            for (int k = 1; k < parts.size(); k += 2) {
                String asked = parts.get(k).text();
                String answer = parts.get(k + 1).text();
                String name =
                        letters.containsKey(asked) ? asked : Phrase.of(asked).chinese();
                chinese |= name.matches(".*\\p{IsHan}.*");
                assertThat(letters.remove(name)).isEqualTo(answer);
            }
            assertThat(letters).isEmpty();
            inChinese += chinese ? 1 : 0;
        }
        assertThat(inChinese).isBetween(40, 80);
    }

    @Test
    void exercisesOfPresenceHaveOneOptionThatTheCellsShow() {
        int checked = 0;
        for (int i = 0; i < 100; i++) {
            Exercises.PlainText exercise = exercises.presenceChoices(i, false);
            Set<String> shown = exercise.cells().stream().map(GridCell::word).collect(Collectors.toSet());
            for (int k = 0; k < exercise.parts().size(); k += 2) {
                String question = exercise.parts().get(k).text();
                if (!question.startsWith("Which of these")) {
                    continue;
                }
                String letter = exercise.parts().get(k + 1).text();
                List<String> present = options(question).entrySet().stream()
                        .filter(option -> shown.contains(option.getKey().split(" ")[0]))
                        .map(Map.Entry::getValue)
                        .toList();
                // A thing may lie between the cells' centres; ice cream and ice skates share their first word.
                if (present.size() == 1) {
                    checked++;
                    assertThat(present).as(question).containsExactly(letter);
                }
            }
        }
        assertThat(checked).isGreaterThan(100);
    }

    @Test
    void translationsGoBothWays() {
        int toChinese = 0;
        for (int i = 0; i < 50; i++) {
            List<Exercises.Part> parts = exercises.translations(i).parts();
            for (int k = 0; k < parts.size(); k += 2) {
                String name = parts.get(k).text().replace(" =", "");
                String translation = parts.get(k + 1).text().replace(" ;", "");
                if (translation.matches(".*\\p{IsHan}.*")) {
                    toChinese++;
                    assertThat(Phrase.of(name).chinese()).isEqualTo(translation);
                } else {
                    assertThat(Phrase.of(translation).chinese()).isEqualTo(name);
                }
            }
        }
        assertThat(toChinese).isBetween(200, 400);
    }

    /** Letters by options. */
    private static Map<String, String> options(String question) {
        Map<String, String> options = new HashMap<>();
        question.lines()
                .filter(line -> line.matches("[A-Z]\\. .+"))
                .forEach(line -> options.put(line.substring(3), line.substring(0, 1)));
        return options;
    }
}
