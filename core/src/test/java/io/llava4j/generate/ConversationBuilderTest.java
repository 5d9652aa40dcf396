package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.generate.ConversationBuilder.Part;
import io.llava4j.text.Turn;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConversationBuilderTest {
    private final ConversationBuilder<String> builder = new ConversationBuilder<>();

    @Test
    void theOnlyImageOfAMessageStandsBeforeItsText() {
        builder.system("system", "Be brief.");
        builder.user(List.of(text("What is it?"), new Part.Image<>("cat")));

        assertThat(builder.build("messages"))
                .isEqualTo(new ConversationBuilder.Conversation<>(
                        "Be brief.", List.of(Turn.human("<image>\nWhat is it?")), List.of("cat")));
    }

    @Test
    void severalImagesStayWhereTheyAre() {
        builder.user(List.of(text("Compare"), new Part.Image<>("cat"), text("with"), new Part.Image<>("dog")));

        assertThat(builder.build("messages").turns()).containsExactly(Turn.human("Compare\n<image>\nwith\n<image>"));
        assertThat(builder.build("messages").images()).containsExactly("cat", "dog");
    }

    @Test
    void messagesOfTheSameSpeakerAreJoined() {
        builder.user(texts("One."));
        builder.user(texts("Two.", "Three."));
        builder.assistant("messages[2]", texts("Yes."));
        builder.user(texts("Four."));

        assertThat(builder.build("messages").turns())
                .containsExactly(Turn.human("One.\nTwo.\nThree."), Turn.assistant("Yes."), Turn.human("Four."));
    }

    @Test
    void whatCannotBeAskedIsRefusedWithItsPlace() {
        refused("messages", () -> builder.build("messages"), "messages has no question");
        refused("m[0]", () -> builder.assistant("m[0]", texts("Yes.")), "m[0] is an answer without a question");
        refused("m[0]", () -> builder.user(List.of(new Part.Text<>("m[0]", "<image>"))), "m[0] contains <image>");
        builder.user(texts("One."));
        refused("m[1]", () -> builder.system("m[1]", "Be brief."), "m[1] is a system message after others");
        refused(
                "m[1]",
                () -> builder.assistant("m[1]", List.of(new Part.Image<>("cat"))),
                "m[1] is an answer with an image");
        builder.assistant("m[1]", texts("Yes."));
        refused("messages", () -> builder.build("messages"), "messages ends with an answer");
    }

    private static void refused(String where, Runnable action, String message) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        InvalidMessageException.class,
                        refused -> assertThat(refused.where()).isEqualTo(where))
                .hasMessageStartingWith(message);
    }

    private static List<Part<String>> texts(String... texts) {
        return Arrays.stream(texts).map(ConversationBuilderTest::text).toList();
    }

    private static Part<String> text(String text) {
        return new Part.Text<>("messages", text);
    }
}
