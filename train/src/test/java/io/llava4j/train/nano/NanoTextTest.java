package io.llava4j.train.nano;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class NanoTextTest {
    private static Sprites sprites;
    private static NanoText text;

    @BeforeAll
    static void load() {
        sprites = new Sprites(Drawings.load());
        text = new NanoText(sprites, 4);
    }

    @Test
    void conversationsAlternateAndAreTheSameEveryTime() {
        NanoText again = new NanoText(sprites, 4);
        for (int i = 500; i >= 0; i--) {
            List<Turn> turns = text.conversation(i);
            assertThat(turns).isNotEmpty().hasSizeBetween(2, 16);
            for (int k = 0; k < turns.size(); k++) {
                assertThat(turns.get(k).role()).isEqualTo(k % 2 == 0 ? Role.HUMAN : Role.ASSISTANT);
                assertThat(turns.get(k).text()).isNotBlank().doesNotContain(Turn.IMAGE_PLACEHOLDER);
            }
            assertThat(again.conversation(i)).isEqualTo(turns);
        }
    }

    @Test
    void drillsAskForWhatTheDescriptionTells() {
        int yes = 0;
        int asked = 0;
        for (int i = 0; i < 300; i++) {
            List<Turn> turns = text.drill(i);
            assertThat(turns).isEqualTo(new NanoText(sprites, 4).drill(i)).hasSize(16);
            String[] first = turns.getFirst().text().split("\n");
            for (int k = 0; k < turns.size(); k += 2) {
                String question = k == 0 ? first[1] : turns.get(k).text();
                String name = question.replaceAll("^Is there an? | in the image\\?$", "");
                boolean there = turns.get(k + 1).text().equals("yes");
                asked++;
                yes += there ? 1 : 0;
                // A map of words may hide a small thing behind another, so only sentences are held to their word.
                if (there && !isMap(first[0])) {
                    assertThat(first[0]).contains(name);
                }
            }
        }
        assertThat(yes / (double) asked).isBetween(0.45, 0.55);
    }

    @Test
    void rollCallsSayWhatTheDescriptionTells() {
        for (int i = 0; i < 300; i++) {
            List<NanoText.Part> parts = text.rollCall(i);
            assertThat(parts).hasSize(17);
            String description = parts.getFirst().text();
            for (int k = 1; k < parts.size(); k += 2) {
                assertThat(parts.get(k).supervised()).isFalse();
                assertThat(parts.get(k + 1).supervised()).isTrue();
                String name = parts.get(k).text().replaceAll("^Is there |^an? |( in the image)?\\?$|:$", "");
                name = name.replaceAll("^an? ", "");
                if (!parts.get(k + 1).text().equals("no ;") && !isMap(description.strip())) {
                    assertThat(description).contains(name);
                }
            }
        }
    }

    @Test
    void repetitionsRepeat() {
        for (int i = 0; i < 50; i++) {
            List<NanoText.Part> parts = text.repetition(i);
            String list = parts.getFirst().text();
            assertThat(parts)
                    .containsExactly(new NanoText.Part(list, false), new NanoText.Part(": " + list + " " + list, true));
        }
    }

    private static boolean isMap(String description) {
        return description.matches("[a-z ]+");
    }

    @Test
    void theCorpusHoldsEveryNameAndPromptWord() {
        Set<String> words = new HashSet<>();
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            String line = text.line(i);
            all.append(line).append('\n');
            words.addAll(List.of(line.split("[^A-Za-z0-9]+")));
        }
        for (Category category : sprites.drawings().categories()) {
            assertThat(words)
                    .contains(category.name().split(" "))
                    .contains(category.plural().split(" "));
        }
        SignFont.WORDS.forEach(word -> assertThat(words).contains(SignFont.read(word)));
        NamedColor.TINTS.forEach(color -> assertThat(words).contains(color.name()));
        NamedColor.BACKGROUNDS.forEach(color -> assertThat(words).contains(color.name()));
        assertThat(all)
                .contains(
                        "USER: ",
                        " ASSISTANT: ",
                        "</s>",
                        Conversations.SHORT,
                        Conversations.LETTER,
                        Conversations.CAPTION,
                        "Please provide a short description for this region: [",
                        "Please provide the bounding box coordinate of the region this sentence describes: ");
    }
}
