package io.llava4j.app.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.DataException;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.image.RgbImage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class ChatLoopTest {
    private final FakeModel model = new FakeModel();
    private final ChatSession session = new ChatSession(model, GenerationOptions.greedy(8));
    private final List<String> decoded = new ArrayList<>();
    private BooleanSupplier stop = () -> false;

    @Test
    void answersQuestionsUntilExit() {
        assertThat(run("hello", "", "again", "/exit", "never read")).containsExactly("answer 1", "answer 2");
        assertThat(model.requests).hasSize(2);
    }

    @Test
    void endOfInputEndsTheChat() {
        assertThat(run("hello")).containsExactly("answer 1");
    }

    @Test
    void imageTakesQuotedAndEscapedPaths() {
        assertThat(run("/image 'a cat.png'", "what?", "/image b\\ dog.png"))
                .containsExactly("image 1: 'a cat.png' (4 x 2)", "answer 1", "image 2: b\\ dog.png (4 x 2)");
        assertThat(decoded).containsExactly("a cat.png", "b dog.png");
        assertThat(model.requests.getFirst().images()).hasSize(1);
    }

    @Test
    void imagesAreListedAndRemoved() {
        assertThat(run(
                        "/images",
                        "/image a.png",
                        "what?",
                        "/image b.png",
                        "/images",
                        "/remove 1",
                        "/remove x",
                        "/remove 7"))
                .containsExactly(
                        "no image; add one with /image PATH",
                        "image 1: a.png (4 x 2)",
                        "answer 1",
                        "image 2: b.png (4 x 2)",
                        "image 1: a.png (4 x 2)",
                        "image 2: b.png (4 x 2), for the next question",
                        "removed a.png (4 x 2)",
                        "! /remove takes the number of an image; /images lists them",
                        "! there is no image 7; /images lists them");
    }

    @Test
    void errorsAreShownAndTheChatContinues() {
        assertThat(run("/image missing.png", "/image", "fail", "/nonsense", "/regen now", "hello"))
                .containsExactly(
                        "! missing.png does not exist",
                        "! name an image: /image PATH",
                        "! the prompt is too long",
                        "! there is no command '/nonsense'; /help lists them",
                        "! the prompt is too long",
                        "answer 3");
    }

    @Test
    void setChangesOneSetting() {
        List<String> shown = run("/set temperature 0.5", "hello", "/set top-p 7", "/set colour red", "/set top-k");
        assertThat(shown.getFirst())
                .isEqualTo("temperature 0.5, top-p 1.0, top-k 0, repetition-penalty 1.0, max-new-tokens 8, seed 0");
        assertThat(model.options.getFirst().temperature()).isEqualTo(0.5);
        assertThat(shown.subList(2, 5))
                .containsExactly(
                        "! top-p must be above 0 and at most 1, not 7.0",
                        "! there is no setting 'colour'; use one of temperature, top-p, top-k, repetition-penalty,"
                                + " max-new-tokens, seed",
                        "! /set takes a name and a value, for example /set temperature 0.2");
        assertThat(session.options().topP()).isEqualTo(1);
    }

    @Test
    void interruptStopsTheAnswerNotTheChat() {
        stop = () -> model.requests.size() == 1;
        assertThat(run("hello", "again")).containsExactly("answer (stopped)", "answer 2");
        assertThat(session.turns()).hasSize(4);
    }

    @Test
    void helpNamesEveryCommand() {
        assertThat(String.join("\n", run("/help")))
                .contains(
                        "/image", "/images", "/remove", "/clear", "/regen", "/set", "/help", "/exit", "Ctrl-C",
                        "top-p");
    }

    private List<String> run(String... typed) {
        Iterator<String> lines = List.of(typed).iterator();
        StringWriter out = new StringWriter();
        new ChatLoop(
                        session,
                        prompt -> lines.hasNext() ? lines.next() : null,
                        new PrintWriter(out),
                        new PrintWriter(out),
                        work -> work.accept(stop),
                        this::decode)
                .run();
        return out.toString().lines().toList();
    }

    private RgbImage decode(String file) {
        if (file.startsWith("missing")) {
            throw new DataException(file + " does not exist");
        }
        decoded.add(file);
        return new RgbImage(4, 2, new byte[24]);
    }
}
