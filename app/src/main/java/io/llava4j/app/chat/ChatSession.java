package io.llava4j.app.chat;

import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.StreamingChatModel;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A conversation about any number of images. An image belongs to the question that follows it and stands before its text, as in LLaVA's
 * own command line. The whole conversation goes to the model at every question. The session remembers an exchange once it has an
 * answer; a question that failed or got no text leaves the conversation as it was.
 */
public final class ChatSession {
    /** A question with its images, and its answer. */
    private record Exchange(List<ShownImage> images, Turn question, Turn answer) {}

    private final StreamingChatModel model;
    private final List<Exchange> exchanges = new ArrayList<>();
    private final List<ShownImage> next = new ArrayList<>();
    private GenerationOptions options;
    private @Nullable String lastQuestion;

    /**
     * An empty conversation without an image.
     *
     * @param model answers
     * @param options decoding options
     */
    public ChatSession(StreamingChatModel model, GenerationOptions options) {
        this.model = model;
        this.options = options;
    }

    /** Adds an image to the next question. */
    public void add(ShownImage image) {
        next.add(image);
    }

    /** The images of the conversation in order, those of the next question last. */
    public List<ShownImage> images() {
        return Stream.concat(exchanges.stream().flatMap(exchange -> exchange.images().stream()), next.stream())
                .toList();
    }

    /** How many of {@link #images()}, the last ones, belong to the next question. */
    public int imagesOfNextQuestion() {
        return next.size();
    }

    /**
     * Removes an image; questions and answers stay.
     *
     * @param number its place among {@link #images()}, from 1
     * @throws DataException if there is no such image
     */
    public ShownImage remove(int number) {
        int place = number - 1;
        for (int i = 0; i < exchanges.size() && place >= 0; i++) {
            Exchange exchange = exchanges.get(i);
            if (place < exchange.images().size()) {
                List<ShownImage> kept = new ArrayList<>(exchange.images());
                ShownImage removed = kept.remove(place);
                exchanges.set(i, new Exchange(List.copyOf(kept), exchange.question(), exchange.answer()));
                return removed;
            }
            place -= exchange.images().size();
        }
        if (place < 0 || place >= next.size()) {
            throw new DataException("there is no image %d; /images lists them".formatted(number));
        }
        return next.remove(place);
    }

    /** Begins a new conversation without an image. */
    public void clear() {
        exchanges.clear();
        next.clear();
        lastQuestion = null;
    }

    /**
     * Asks the next question.
     *
     * @param question plain text without an image placeholder
     * @param onText receives the answer in parts; returns false to stop it
     * @return the answer up to the end or the stop; its text is empty if the model gave none
     * @throws DataException if the question holds {@code <image>}, or the conversation is too long for the model
     */
    public ChatResponse ask(String question, Predicate<String> onText) {
        if (question.contains(Turn.IMAGE_PLACEHOLDER)) {
            throw new DataException("leave out " + Turn.IMAGE_PLACEHOLDER + "; an image is shown with /image PATH");
        }
        lastQuestion = question;
        List<Turn> asked = new ArrayList<>();
        for (Exchange exchange : exchanges) {
            asked.add(withImages(exchange.question().text(), exchange.images()));
            asked.add(exchange.answer());
        }
        asked.add(withImages(question, next));
        ChatRequest request =
                new ChatRequest(asked, images().stream().map(ShownImage::pixels).toList());
        ChatResponse response = model.stream(request, options, onText);
        if (!response.text().isEmpty()) {
            exchanges.add(new Exchange(List.copyOf(next), Turn.human(question), Turn.assistant(response.text())));
            next.clear();
        }
        return response;
    }

    /** Several images stand on one line, as {@code llava eval} asks about them. */
    private static Turn withImages(String question, List<ShownImage> images) {
        return Turn.human(
                images.isEmpty()
                        ? question
                        : String.join(" ", Collections.nCopies(images.size(), Turn.IMAGE_PLACEHOLDER))
                                + "\n"
                                + question);
    }

    /**
     * Asks the last question again with its images and replaces its answer; sampling uses the next seed. Images added since
     * stay with the next question.
     *
     * @throws DataException if there was no question yet
     */
    public ChatResponse regenerate(Predicate<String> onText) {
        String question = lastQuestion;
        if (question == null) {
            throw new DataException("there is no question yet; ask one first");
        }
        List<Exchange> before = List.copyOf(exchanges);
        List<ShownImage> nextBefore = List.copyOf(next);
        boolean wasAnswered =
                !exchanges.isEmpty() && exchanges.getLast().question().text().equals(question);
        if (wasAnswered) {
            next.clear();
            next.addAll(exchanges.removeLast().images());
        }
        options = options.withSeed(options.seed() + 1);
        boolean answered = false;
        try {
            ChatResponse response = ask(question, onText);
            answered = !response.text().isEmpty();
            return response;
        } finally {
            if (!answered) {
                exchanges.clear();
                exchanges.addAll(before);
            }
            if (!answered || wasAnswered) {
                next.clear();
                next.addAll(nextBefore);
            }
        }
    }

    /** Questions and answers so far, in turn. */
    public List<Turn> turns() {
        return exchanges.stream()
                .flatMap(exchange -> Stream.of(exchange.question(), exchange.answer()))
                .toList();
    }

    /** Decoding options of the next answer. */
    public GenerationOptions options() {
        return options;
    }

    /** Sets the decoding options of the following answers. */
    public void use(GenerationOptions changed) {
        options = changed;
    }
}
