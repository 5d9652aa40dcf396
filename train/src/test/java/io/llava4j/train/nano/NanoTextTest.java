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
