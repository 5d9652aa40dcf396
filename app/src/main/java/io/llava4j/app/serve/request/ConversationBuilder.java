package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects the messages of a conversation. Parts of a message, and messages of the same speaker in a row, are joined by a line
 * break. The only image of a message stands before its text, as in LLaVA's training; of several, each stays at its place.
 */
public final class ConversationBuilder {
    /** A part of a message. */
    public sealed interface Part {
        /** Some text. */
        record Text(String where, String text) implements Part {}

        /** An image. */
        record Image(ImageSource source) implements Part {}
    }

    private final List<String> system = new ArrayList<>();
    private final List<Turn> turns = new ArrayList<>();
    private final List<ImageSource> images = new ArrayList<>();

    /**
     * Adds a system prompt.
     *
     * @param where path in the request
     */
    public void system(String where, String text) {
        if (!turns.isEmpty()) {
            throw ApiException.invalid(where, where + " is a system message after others; put it first");
        }
        system.add(plain(where, text));
    }

    /** Adds what the user said. */
    public void user(List<Part> parts) {
        add(Role.HUMAN, text(parts));
    }

    /**
     * Adds an earlier answer.
     *
     * @param where path in the request
     */
    public void assistant(String where, List<Part> parts) {
        if (parts.stream().anyMatch(Part.Image.class::isInstance)) {
            throw ApiException.invalid(where, where + " is an answer with an image, but the model writes text only");
        }
        if (turns.isEmpty()) {
            throw ApiException.invalid(where, where + " is an answer without a question before it");
        }
        add(Role.ASSISTANT, text(parts));
    }

    private void add(Role role, String text) {
        if (!turns.isEmpty() && turns.getLast().role() == role) {
            turns.add(new Turn(role, turns.removeLast().text() + "\n" + text));
        } else {
            turns.add(new Turn(role, text));
        }
    }

    private String text(List<Part> parts) {
        List<Part> ordered = new ArrayList<>(parts);
        List<Part> pictures =
                parts.stream().filter(Part.Image.class::isInstance).toList();
        if (pictures.size() == 1) {
            ordered.removeAll(pictures);
            ordered.addFirst(pictures.getFirst());
        }
        List<String> texts = new ArrayList<>();
        for (Part part : ordered) {
            switch (part) {
                case Part.Text text -> texts.add(plain(text.where(), text.text()));
                case Part.Image image -> {
                    images.add(image.source());
                    texts.add(Turn.IMAGE_PLACEHOLDER);
                }
            }
        }
        return String.join("\n", texts);
    }

    private static String plain(String where, String text) {
        if (text.contains(Turn.IMAGE_PLACEHOLDER)) {
            throw ApiException.invalid(
                    where,
                    where + " contains " + Turn.IMAGE_PLACEHOLDER
                            + ", which marks an image; leave it out and send the image itself");
        }
        return text;
    }

    /**
     * The conversation.
     *
     * @param where path of the messages in the request
     * @throws ApiException if it does not end with a question
     */
    public AnswerRequest.Conversation build(String where) {
        if (turns.isEmpty()) {
            throw ApiException.invalid(where, where + " has no question");
        }
        if (turns.getLast().role() == Role.ASSISTANT) {
            throw ApiException.invalid(where, where + " ends with an answer; add the question to be answered");
        }
        return new AnswerRequest.Conversation(String.join("\n", system), List.copyOf(turns), List.copyOf(images));
    }
}
