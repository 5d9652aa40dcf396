package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.nano.text.SceneConversations;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.Sprites;
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
        int mapped = 0;
        for (int i = 500; i >= 0; i--) {
            NanoText.Talk talk = text.conversation(i);
            List<Turn> turns = talk.turns();
            assertThat(turns).isNotEmpty().hasSizeBetween(2, 16);
            mapped += talk.fields().isEmpty() ? 0 : 1;
            for (int k = 0; k < turns.size(); k++) {
                assertThat(turns.get(k).role()).isEqualTo(k % 2 == 0 ? Role.HUMAN : Role.ASSISTANT);
                assertThat(turns.get(k).text()).isNotBlank();
                assertThat(turns.get(k).text().startsWith(Turn.IMAGE_PLACEHOLDER + "\n"))
                        .isEqualTo(k == 0 && !talk.fields().isEmpty());
            }
            assertThat(again.conversation(i)).isEqualTo(talk);
        }
        assertThat(mapped).isBetween(300, 400);
    }

    @Test
    void drillsAskForWhatTheSceneShows() {
        int yes = 0;
        int asked = 0;
        int told = 0;
        for (int i = 0; i < 300; i++) {
            NanoText.Talk drill = text.drill(i);
            List<Turn> turns = drill.turns();
            assertThat(drill).isEqualTo(new NanoText(sprites, 4).drill(i));
            assertThat(turns).hasSize(16);
            String[] first = turns.getFirst().text().split("\n");
            for (int k = 0; k < turns.size(); k += 2) {
                String question = k == 0 ? first[1] : turns.get(k).text();
                String name = question.replaceAll("^Is there an? | in the image\\?$", "");
                boolean there = turns.get(k + 1).text().equals("yes");
                asked++;
                yes += there ? 1 : 0;
                if (!drill.fields().isEmpty()) {
                    told += there && shows(drill.fields(), name) ? 1 : 0;
                    assertThat(there || !shows(drill.fields(), name)).isTrue();
                } else if (there) {
                    assertThat(first[0]).contains(name);
                }
            }
        }
        assertThat(yes / (double) asked).isBetween(0.45, 0.55);
        // A field is judged at its middle, so a small thing behind another may be in none.
        assertThat(told / (0.8 * yes)).isGreaterThan(0.9);
    }

    @Test
    void rollCallsSayWhatTheSceneShows() {
        for (int i = 0; i < 300; i++) {
            NanoText.Plain rollCall = text.rollCall(i);
            List<NanoText.Part> parts = rollCall.parts();
            boolean mapped = !rollCall.fields().isEmpty();
            assertThat(parts).hasSize(mapped ? 16 : 17);
            String description = parts.getFirst().text();
            for (int k = mapped ? 0 : 1; k < parts.size(); k += 2) {
                assertThat(parts.get(k).supervised()).isFalse();
                assertThat(parts.get(k + 1).supervised()).isTrue();
                String name = parts.get(k).text().replaceAll("^Is there |^an? |( in the image)?\\?$|:$", "");
                name = name.replaceAll("^an? ", "");
                boolean there = !parts.get(k + 1).text().equals("no ;");
                if (mapped) {
                    assertThat(there || !shows(rollCall.fields(), name)).isTrue();
                } else if (there) {
                    assertThat(description).contains(name);
                }
            }
        }
    }

    /** Two things may share their name's first word, which is all a field tells. */
    private static boolean shows(List<SceneField> fields, String name) {
        return !name.startsWith("ice ")
                && fields.stream().anyMatch(field -> field.words().getFirst().equals(name.split(" ", 2)[0]));
    }

    @Test
    void fieldsTellThingsWithTheirColours() {
        NanoText.Plain pair = text.captionPair(3);
        assertThat(pair.fields()).hasSize(36);
        assertThat(pair.parts()).singleElement().satisfies(part -> {
            assertThat(part.supervised()).isTrue();
            assertThat(part.text()).endsWith("\n");
        });
        for (int i = 0; i < 100; i++) {
            NanoText.Plain one = text.captionPair(i);
            for (SceneField field : one.fields()) {
                if (field.thing() >= 0 && field.tint() != null) {
                    assertThat(one.parts().getFirst().text())
                            .contains(field.word())
                            .contains(field.tint());
                }
            }
        }
    }

    @Test
    void partnersAreToldByFieldsAndOnlyOnce() {
        int missing = 0;
        for (int i = 0; i < 50; i++) {
            NanoText.Plain partners = text.partners(i);
            List<NanoText.Part> parts = partners.parts();
            Set<String> told = new HashSet<>();
            for (SceneField field : partners.fields()) {
                for (String word : field.words().subList(0, 2)) {
                    // Ice cream and ice skates share their first word.
                    assertThat(told.add(word) || word.equals("ice")).as(word).isTrue();
                }
            }
            for (int k = 0; k < parts.size(); k += 2) {
                String asked = parts.get(k).text();
                String answer = parts.get(k + 1).text();
                assertThat(parts.get(k).supervised()).isFalse();
                assertThat(parts.get(k + 1).supervised()).isTrue();
                if (answer.equals("no")) {
                    missing++;
                    assertThat(asked.equals("ice") || !told.contains(asked)).isTrue();
                } else {
                    assertThat(partners.fields())
                            .anyMatch(field -> field.word().equals(asked) && answer.equals(field.tint()));
                }
            }
        }
        assertThat(missing).isBetween(50, 150);
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
                        SceneConversations.SHORT,
                        SceneConversations.LETTER,
                        SceneConversations.CAPTION,
                        "Please provide a short description for this region: [",
                        "Please provide the bounding box coordinate of the region this sentence describes: ");
    }
}
