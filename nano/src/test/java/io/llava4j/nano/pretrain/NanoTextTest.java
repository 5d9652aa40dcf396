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
        int inCells = 0;
        for (int i = 500; i >= 0; i--) {
            NanoText.Conversation conversation = text.conversation(i);
            List<Turn> turns = conversation.turns();
            assertThat(turns).isNotEmpty().hasSizeBetween(2, 16);
            inCells += conversation.cells().isEmpty() ? 0 : 1;
            for (int k = 0; k < turns.size(); k++) {
                assertThat(turns.get(k).role()).isEqualTo(k % 2 == 0 ? Role.HUMAN : Role.ASSISTANT);
                assertThat(turns.get(k).text()).isNotBlank();
                assertThat(turns.get(k).text().startsWith(Turn.IMAGE_PLACEHOLDER + "\n"))
                        .isEqualTo(k == 0 && !conversation.cells().isEmpty());
            }
            assertThat(again.conversation(i)).isEqualTo(conversation);
        }
        assertThat(inCells).isBetween(300, 400);
    }

    @Test
    void existenceDrillsAskForWhatTheSceneShows() {
        int yes = 0;
        int asked = 0;
        int shown = 0;
        for (int i = 0; i < 300; i++) {
            NanoText.Conversation drill = text.existenceDrill(i);
            List<Turn> turns = drill.turns();
            assertThat(drill).isEqualTo(new NanoText(sprites, 4).existenceDrill(i));
            assertThat(turns).hasSize(16);
            String[] first = turns.getFirst().text().split("\n");
            for (int k = 0; k < turns.size(); k += 2) {
                String question = k == 0 ? first[1] : turns.get(k).text();
                String name = question.replaceAll("^Is there an? | in the image\\?$", "");
                boolean there = turns.get(k + 1).text().equals("yes");
                asked++;
                yes += there ? 1 : 0;
                if (!drill.cells().isEmpty()) {
                    shown += there && shows(drill.cells(), name) ? 1 : 0;
                    assertThat(there || !shows(drill.cells(), name)).isTrue();
                } else if (there) {
                    assertThat(first[0]).contains(name);
                }
            }
        }
        assertThat(yes / (double) asked).isBetween(0.45, 0.55);
        // A cell shows what is at its centre, so no cell may show a small thing that another one covers.
        assertThat(shown / (0.8 * yes)).isGreaterThan(0.9);
    }

    @Test
    void attributeListingsSayWhatTheSceneShows() {
        for (int i = 0; i < 300; i++) {
            Exercises.PlainText attributeListing = text.exercises().attributeListing(i);
            List<Exercises.Part> parts = attributeListing.parts();
            boolean inCells = !attributeListing.cells().isEmpty();
            assertThat(parts).hasSize(inCells ? 16 : 17);
            String description = parts.getFirst().text();
            for (int k = inCells ? 0 : 1; k < parts.size(); k += 2) {
                assertThat(parts.get(k).supervised()).isFalse();
                assertThat(parts.get(k + 1).supervised()).isTrue();
                String name = parts.get(k).text().replaceAll("^Is there |^an? |( in the image)?\\?$|:$", "");
                name = name.replaceAll("^an? ", "");
                boolean there = !parts.get(k + 1).text().equals("no ;");
                if (inCells) {
                    assertThat(there || !shows(attributeListing.cells(), name)).isTrue();
                } else if (there) {
                    assertThat(description).contains(name);
                }
            }
        }
    }

    /** Two things may share their name's first word, the only one that a cell has. */
    private static boolean shows(List<GridCell> cells, String name) {
        return !name.startsWith("ice ")
                && cells.stream().anyMatch(cell -> cell.words().getFirst().equals(name.split(" ", 2)[0]));
    }

    @Test
    void cellsNameThingsWithTheirColours() {
        Exercises.PlainText pair = text.captionPair(3);
        assertThat(pair.cells()).hasSize(36);
        assertThat(pair.parts()).singleElement().satisfies(part -> {
            assertThat(part.supervised()).isTrue();
            assertThat(part.text()).endsWith("\n");
        });
        for (int i = 0; i < 100; i++) {
            Exercises.PlainText one = text.captionPair(i);
            for (GridCell cell : one.cells()) {
                if (cell.thing() >= 0 && cell.tint() != null) {
                    assertThat(one.parts().getFirst().text())
                            .contains(cell.word())
                            .contains(cell.tint());
                }
            }
        }
    }

    @Test
    void associativeRecallAsksForPairsThatTheCellsShowOnce() {
        int missing = 0;
        for (int i = 0; i < 50; i++) {
            Exercises.PlainText recall = text.exercises().associativeRecall(i);
            List<Exercises.Part> parts = recall.parts();
            Set<String> shown = new HashSet<>();
            for (GridCell cell : recall.cells()) {
                for (String word : cell.words().subList(0, 2)) {
                    // Ice cream and ice skates share their first word.
                    assertThat(shown.add(word) || word.equals("ice")).as(word).isTrue();
                }
            }
            for (int k = 0; k < parts.size(); k += 2) {
                String asked = parts.get(k).text();
                String answer = parts.get(k + 1).text();
                assertThat(parts.get(k).supervised()).isFalse();
                assertThat(parts.get(k + 1).supervised()).isTrue();
                if (answer.equals("no")) {
                    missing++;
                    assertThat(asked.equals("ice") || !shown.contains(asked)).isTrue();
                } else {
                    assertThat(recall.cells())
                            .anyMatch(cell -> cell.word().equals(asked) && answer.equals(cell.tint()));
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
