package io.llava4j.generate;

import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes turns of the messages of a chat API. Parts of a message, and messages of the same speaker in a row, are joined by a line
 * break. The only image of a message stands before its text, as in LLaVA's training; of several, each stays at its place.
 *
 * @param <I> an image, as the API gives it
 */
public final class ConversationBuilder<I> {
    /** A part of a message. */
    public sealed interface Part<I> {
        /**
         * Some text.
         *
         * @param where it stands in the request, for messages about it
         */
        record Text<I>(String where, String text) implements Part<I> {}

        /** An image. */
        record Image<I>(I image) implements Part<I> {}
    }

    /**
     * The conversation.
     *
     * @param system prompt; empty for the template's own
     * @param turns end with a question; have a placeholder for each image
     * @param images in the order of their placeholders
     */
    public record Conversation<I>(String system, List<Turn> turns, List<I> images) {}

    private final List<String> system = new ArrayList<>();
    private final List<Turn> turns = new ArrayList<>();
    private final List<I> images = new ArrayList<>();

    /**
     * Adds a system prompt.
     *
     * @param where it stands in the request
     * @throws InvalidMessageException if turns stand before it
     */
    public void system(String where, String text) {
        if (!turns.isEmpty()) {
            throw new InvalidMessageException(where, where + " is a system message after others; put it first");
        }
        system.add(plain(where, text));
    }

    /** Adds what the user said. */
    public void user(List<Part<I>> parts) {
        add(Role.HUMAN, text(parts));
    }

    /**
     * Adds an earlier answer.
     *
     * @param where it stands in the request
     * @throws InvalidMessageException if it has an image, or no question stands before it
     */
    public void assistant(String where, List<Part<I>> parts) {
        if (parts.stream().anyMatch(Part.Image.class::isInstance)) {
            throw new InvalidMessageException(
                    where, where + " is an answer with an image, but the model writes text only");
        }
        if (turns.isEmpty()) {
            throw new InvalidMessageException(where, where + " is an answer without a question before it");
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

    private String text(List<Part<I>> parts) {
        List<Part<I>> ordered = new ArrayList<>(parts);
        List<Part<I>> shown =
                parts.stream().filter(Part.Image.class::isInstance).toList();
        if (shown.size() == 1) {
            ordered.removeAll(shown);
            ordered.addFirst(shown.getFirst());
        }
        List<String> texts = new ArrayList<>();
        for (Part<I> part : ordered) {
            switch (part) {
                case Part.Text<I> text -> texts.add(plain(text.where(), text.text()));
                case Part.Image<I> image -> {
                    images.add(image.image());
                    texts.add(Turn.IMAGE_PLACEHOLDER);
                }
            }
        }
        return String.join("\n", texts);
    }

    private static String plain(String where, String text) {
        if (text.contains(Turn.IMAGE_PLACEHOLDER)) {
            throw new InvalidMessageException(
                    where,
                    where + " contains " + Turn.IMAGE_PLACEHOLDER
                            + ", which marks an image; leave it out and send the image itself");
        }
        return text;
    }

    /**
     * The conversation.
     *
     * @param where the messages stand in the request
     * @throws InvalidMessageException if it does not end with a question
     */
    public Conversation<I> build(String where) {
        if (turns.isEmpty()) {
            throw new InvalidMessageException(where, where + " has no question");
        }
        if (turns.getLast().role() == Role.ASSISTANT) {
            throw new InvalidMessageException(where, where + " ends with an answer; add the question to be answered");
        }
        return new Conversation<>(String.join("\n", system), List.copyOf(turns), List.copyOf(images));
    }
}
