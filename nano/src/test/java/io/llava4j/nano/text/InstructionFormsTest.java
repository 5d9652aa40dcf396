package io.llava4j.nano.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.nano.text.InstructionForms.Form;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.ResponseFormat;
import io.llava4j.text.Turn;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class InstructionFormsTest {
    private static final int SCENES = 1500;
    private static final Pattern OPTION = Pattern.compile("(?m)^([A-D])\\. (.+)$");

    private static SceneSampler sampler;
    private static InstructionForms forms;

    @BeforeAll
    static void load() {
        Sprites sprites = new Sprites(Drawings.load());
        sampler = new SceneSampler(
                sprites, SceneOptions.scenes(sprites.drawings().trainingSets()).withSigns(0.5), 22);
        forms = new InstructionForms(sampler.categories());
    }

    @Test
    void lettersAreSpreadAndNameAnOptionThatIsTrue() {
        Map<String, Integer> letters = new TreeMap<>();
        int named = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            List<Turn> turns = forms.exchange(Form.LETTER, scene, random(i));
            if (turns == null) {
                continue;
            }
            String question = turns.getFirst().text();
            String letter = turns.getLast().text();
            assertThat(question).endsWith("\n" + ResponseFormat.LETTER.prompt());
            letters.merge(letter, 1, Integer::sum);
            Map<String, String> options = new TreeMap<>();
            Matcher matcher = OPTION.matcher(question);
            while (matcher.find()) {
                options.put(matcher.group(1), matcher.group(2));
            }
            String answer = options.get(letter);
            assertThat(answer).as(question).isNotNull();
            if (question.contains("What is shown in the image?")) {
                named++;
                assertThat(options.values().stream().filter(option -> scene.count(option) > 0))
                        .containsExactly(answer);
            } else if (question.contains("How many objects are there in the image?")) {
                named++;
                assertThat(answer).isEqualTo(Integer.toString(scene.objects().size()));
            } else if (question.contains("What word is on the sign?")) {
                named++;
                assertThat(answer).isEqualToIgnoringCase(word(scene));
            }
        }
        assertThat(named).isGreaterThan(SCENES / 8);
        double all = letters.values().stream().mapToInt(Integer::intValue).sum();
        assertThat(letters.keySet()).containsExactly("A", "B", "C", "D");
        // Some questions have two options only.
        assertThat(letters.getOrDefault("D", 0) / all).isCloseTo(0.2, within(0.05));
    }

    @Test
    void chineseQuestionsHaveChineseOptions() {
        for (int i = 0; i < 200; i++) {
            List<Turn> turns = forms.exchange(Form.CHINESE_LETTER, sampler.scene(i), random(i));
            if (turns != null) {
                assertThat(turns.getFirst().text().lines().findFirst().orElseThrow())
                        .matches(".*\\p{IsHan}.*");
                assertThat(turns.getLast().text()).matches("[A-D]");
            }
        }
    }

    @Test
    void yesIsAsFrequentAsNo() {
        int yes = 0;
        int all = 0;
        for (int i = 0; i < SCENES; i++) {
            Question question = forms.yesNo(sampler.scene(i), random(i));
            if (question != null) {
                all++;
                yes += question.answer().equals("yes") ? 1 : 0;
                assertThat(question.answerType()).isEqualTo("yes/no");
            }
        }
        assertThat(all).isGreaterThan(SCENES / 2);
        assertThat(yes / (double) all).isCloseTo(0.5, within(0.05));
    }

    @Test
    void unanswerableIsSaidOfWhatTheSceneDoesNotShow() {
        int unanswerable = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            List<Turn> turns = forms.exchange(Form.UNANSWERABLE, scene, random(i));
            if (turns != null && turns.getLast().text().equals(Questions.UNANSWERABLE)) {
                unanswerable++;
                String text = turns.getFirst().text();
                assertThat(text).endsWith(ResponseFormat.SHORT_OR_UNANSWERABLE.prompt());
                if (text.contains("sign")) {
                    assertThat(scene.sign()).isNull();
                } else {
                    Category absent = sampler.categories().stream()
                            .filter(category -> text.contains(" the " + category.name() + "?"))
                            .findFirst()
                            .orElseThrow();
                    assertThat(scene.count(absent.name())).isZero();
                }
            }
        }
        assertThat(unanswerable).isBetween(SCENES / 4, SCENES / 2);
    }

    @Test
    void whatAnOcrSystemReadIsNotAlwaysTheAnswer() {
        int asked = 0;
        int misread = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            List<Turn> turns = forms.exchange(Form.SIGN, scene, random(i));
            if (turns != null) {
                asked++;
                assertThat(turns.getLast().text()).isEqualToIgnoringCase(word(scene));
                misread += turns.getFirst()
                                .text()
                                .contains("Reference OCR token: "
                                        + turns.getLast().text() + "\n")
                        ? 0
                        : 1;
            }
        }
        assertThat(asked).isGreaterThan(SCENES / 3);
        assertThat(misread / (double) asked).isCloseTo(0.28, within(0.05));
    }

    private static String word(Scene scene) {
        return Objects.requireNonNull(scene.sign()).word();
    }

    private static SplitMix64 random(int index) {
        return SplitMix64.of(4, "forms test", index);
    }
}
