package io.llava4j.app.chat;

import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.StreamingChatModel;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A conversation about at most one image, which belongs to the first question, as in LLaVA's own command line. The
 * whole conversation goes to the model at every question. The session remembers an exchange once it has an answer; a
 * question that failed or got no text leaves the conversation as it was.
 */
public final class ChatSession {
    private final StreamingChatModel model;
    private final List<Turn> turns = new ArrayList<>();
    private GenerationOptions options;
    private @Nullable RgbImage image;
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

    /** Begins a new conversation about an image. */
    public void show(RgbImage image) {
        clear();
        this.image = image;
    }

    /** Begins a new conversation without an image. */
    public void clear() {
        turns.clear();
        lastQuestion = null;
        image = null;
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
        List<Turn> asked = new ArrayList<>(turns);
        asked.add(Turn.human(question));
        if (image != null) {
            asked.set(
                    0,
                    Turn.human(Turn.IMAGE_PLACEHOLDER + "\n" + asked.getFirst().text()));
        }
        ChatRequest request = new ChatRequest(asked, image == null ? List.of() : List.of(image));
        ChatResponse response = model.stream(request, options, onText);
        if (!response.text().isEmpty()) {
            turns.add(Turn.human(question));
            turns.add(Turn.assistant(response.text()));
        }
        return response;
    }

    /**
     * Asks the last question again and replaces its answer; sampling uses the next seed.
     *
     * @throws DataException if there was no question yet
     */
    public ChatResponse regenerate(Predicate<String> onText) {
        String question = lastQuestion;
        if (question == null) {
            throw new DataException("there is no question yet; ask one first");
        }
        List<Turn> before = List.copyOf(turns);
        if (!turns.isEmpty() && turns.get(turns.size() - 2).text().equals(question)) {
            turns.removeLast();
            turns.removeLast();
        }
        options = options.withSeed(options.seed() + 1);
        boolean answered = false;
        try {
            ChatResponse response = ask(question, onText);
            answered = !response.text().isEmpty();
            return response;
        } finally {
            if (!answered) {
                turns.clear();
                turns.addAll(before);
            }
        }
    }

    /** Questions and answers so far, in turn. */
    public List<Turn> turns() {
        return List.copyOf(turns);
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
