package io.llava4j.app.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChatSessionTest {
    private static final RgbImage IMAGE = new RgbImage(1, 1, new byte[3]);
    private static final ShownImage SHOWN = new ShownImage("a.png", IMAGE);
    private static final ShownImage WIDE = new ShownImage("b.png", new RgbImage(2, 1, new byte[6]));

    private final FakeModel model = new FakeModel();
    private final ChatSession session = new ChatSession(model, GenerationOptions.greedy(8));

    @Test
    void everyQuestionBringsTheWholeConversationWithTheImageFirst() {
        session.add(SHOWN);
        assertThat(session.ask("what?", text -> true).text()).isEqualTo("answer 1");
        assertThat(session.ask("and?", text -> true).text()).isEqualTo("answer 2");
        assertThat(model.requests.getLast().turns())
                .containsExactly(Turn.human("<image>\nwhat?"), Turn.assistant("answer 1"), Turn.human("and?"));
        assertThat(model.requests.getLast().images()).containsExactly(IMAGE);
    }

    @Test
    void withoutImageThereIsNoPlaceholder() {
        session.ask("hello", text -> true);
        assertThat(model.requests.getFirst().turns()).containsExactly(Turn.human("hello"));
        assertThat(model.requests.getFirst().images()).isEmpty();
    }

    @Test
    void anotherImageBelongsToTheNextQuestion() {
        session.add(SHOWN);
        session.ask("what?", text -> true);
        session.add(WIDE);
        session.ask("and now?", text -> true);
        assertThat(model.requests.getLast().turns())
                .containsExactly(
                        Turn.human("<image>\nwhat?"), Turn.assistant("answer 1"), Turn.human("<image>\nand now?"));
        assertThat(model.requests.getLast().images())
                .extracting(RgbImage::width)
                .containsExactly(1, 2);
    }

    @Test
    void severalImagesOfAQuestionStandOnOneLine() {
        session.add(SHOWN);
        session.add(WIDE);
        session.ask("same?", text -> true);
        assertThat(model.requests.getLast().turns()).containsExactly(Turn.human("<image> <image>\nsame?"));
        assertThat(session.images()).containsExactly(SHOWN, WIDE);
        assertThat(session.imagesOfNextQuestion()).isZero();
    }

    @Test
    void aRemovedImageLeavesTheConversation() {
        session.add(SHOWN);
        session.ask("what?", text -> true);
        session.add(WIDE);
        assertThat(session.remove(1)).isEqualTo(SHOWN);
        assertThat(session.remove(1)).isEqualTo(WIDE);
        session.ask("and?", text -> true);
        assertThat(model.requests.getLast().turns())
                .containsExactly(Turn.human("what?"), Turn.assistant("answer 1"), Turn.human("and?"));
        assertThatThrownBy(() -> session.remove(1)).hasMessage("there is no image 1; /images lists them");
        assertThatThrownBy(() -> session.remove(0)).hasMessageContaining("there is no image 0");
    }

    @Test
    void regenerateAsksWithTheSameImages() {
        session.add(SHOWN);
        session.ask("what?", text -> true);
        session.regenerate(text -> true);
        assertThat(model.requests.getLast().turns()).containsExactly(Turn.human("<image>\nwhat?"));
        assertThat(session.images()).containsExactly(SHOWN);
        session.add(WIDE);
        session.regenerate(text -> true);
        assertThat(model.requests.getLast().images()).containsExactly(IMAGE);
        assertThat(session.imagesOfNextQuestion()).isEqualTo(1);
        assertThatThrownBy(() -> session.ask("fail", text -> true)).isInstanceOf(DataException.class);
        assertThat(session.imagesOfNextQuestion()).isEqualTo(1);
    }

    @Test
    void clearForgetsConversationAndImage() {
        session.add(SHOWN);
        session.ask("what?", text -> true);
        session.clear();
        assertThat(session.turns()).isEmpty();
        session.ask("hello", text -> true);
        assertThat(model.requests.getLast().images()).isEmpty();
    }

    @Test
    void regenerateReplacesTheLastAnswerByTheNextSeed() {
        session.ask("one", text -> true);
        session.ask("two", text -> true);
        assertThat(session.regenerate(text -> true).text()).isEqualTo("answer 3");
        assertThat(session.turns()).extracting(Turn::text).containsExactly("one", "answer 1", "two", "answer 3");
        assertThat(model.requests.getLast().turns()).extracting(Turn::text).containsExactly("one", "answer 1", "two");
        assertThat(model.options).extracting(GenerationOptions::seed).containsExactly(0L, 0L, 1L);
    }

    @Test
    void questionWithoutAnswerIsAskedAgainButNotRemembered() {
        session.ask("one", text -> true);
        assertThat(session.ask("silence", text -> true).text()).isEmpty();
        assertThat(session.turns()).hasSize(2);
        session.regenerate(text -> true);
        assertThat(model.requests.getLast().turns())
                .extracting(Turn::text)
                .containsExactly("one", "answer 1", "silence");
        assertThat(session.turns()).extracting(Turn::text).containsExactly("one", "answer 1");
    }

    @Test
    void stoppedAnswerIsRememberedUpToTheStop() {
        assertThat(session.ask("one", text -> false).text()).isEqualTo("answer");
        assertThat(session.turns()).containsExactly(Turn.human("one"), Turn.assistant("answer"));
    }

    @Test
    void failureLeavesTheConversationAsItWas() {
        session.ask("one", text -> true);
        assertThatThrownBy(() -> session.ask("fail", text -> true)).isInstanceOf(DataException.class);
        assertThatThrownBy(() -> session.regenerate(text -> true)).isInstanceOf(DataException.class);
        assertThat(session.turns()).hasSize(2);
    }

    @Test
    void nothingToRegenerateAndPlaceholdersAreRefused() {
        assertThatThrownBy(() -> session.regenerate(text -> true)).hasMessageContaining("no question");
        assertThatThrownBy(() -> session.ask("<image> what?", text -> true)).hasMessageContaining("/image PATH");
        assertThat(model.requests).isEmpty();
        assertThat(session.turns()).isEqualTo(List.of());
    }
}
