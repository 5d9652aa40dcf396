package io.llava4j.app.chat;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.generate.ChatResponse;
import io.llava4j.image.RgbImage;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/** Reads lines, runs commands and streams answers until the user is done. An error does not end the conversation. */
public final class ChatLoop {
    /** Watches for Ctrl-C while an answer is written. */
    @FunctionalInterface
    public interface Interruptible {
        /**
         * Runs the work.
         *
         * @param work receives a supplier that is true once Ctrl-C was pressed
         */
        void run(Consumer<BooleanSupplier> work);
    }

    private static final String HELP = """
            /image PATH      add an image to the next question
            /images          list the images of the conversation
            /remove NUMBER   remove an image of that list
            /clear           start a new conversation without an image
            /regen           answer the last question again
            /set             show the settings
            /set NAME VALUE  change a setting: %s
            /help            show this help
            /exit            leave; Ctrl-D does the same
            Ctrl-C stops an answer. Any other line is a question.""".formatted(ChatSettings.NAMES);

    private final ChatSession session;
    private final LineSource lines;
    private final PrintWriter out;
    private final PrintWriter notes;
    private final Interruptible interruptible;
    private final Function<String, RgbImage> decoder;

    /**
     * @param session the conversation
     * @param lines the user
     * @param out answers and messages
     * @param notes what there is to say about an answer
     * @param interruptible stops an answer
     * @param decoder reads images by path or data URL
     */
    public ChatLoop(
            ChatSession session,
            LineSource lines,
            PrintWriter out,
            PrintWriter notes,
            Interruptible interruptible,
            Function<String, RgbImage> decoder) {
        this.session = session;
        this.lines = lines;
        this.out = out;
        this.notes = notes;
        this.interruptible = interruptible;
        this.decoder = decoder;
    }

    /** Runs until {@code /exit} or the end of the lines. */
    public void run() {
        for (String line = lines.next("> "); line != null; line = lines.next("> ")) {
            String entered = line.strip();
            if (entered.equals("/exit") || entered.equals("/quit")) {
                return;
            }
            try {
                execute(entered);
            } catch (LlavaException e) {
                out.println("! " + e.getMessage());
            }
            out.flush();
        }
    }

    private void execute(String entered) {
        if (entered.isEmpty()) {
            return;
        }
        if (!entered.startsWith("/")) {
            answer(onText -> session.ask(entered, onText));
            return;
        }
        String[] words = entered.split("\\s+", 2);
        String argument = words.length > 1 ? words[1] : "";
        switch (words[0]) {
            case "/image" -> image(argument);
            case "/images" -> images();
            case "/remove" -> remove(argument);
            case "/clear" -> {
                session.clear();
                out.println("new conversation without an image");
            }
            case "/regen" -> answer(session::regenerate);
            case "/set" -> set(argument);
            case "/help" -> out.println(HELP);
            default -> out.println("! there is no command '" + words[0] + "'; /help lists them");
        }
    }

    private void answer(Function<Predicate<String>, ChatResponse> question) {
        interruptible.run(stop -> {
            ChatResponse answer = question.apply(text -> {
                out.print(text);
                out.flush();
                return !stop.getAsBoolean();
            });
            out.println(answer.text().isEmpty() ? "(no answer)" : stop.getAsBoolean() ? " (stopped)" : "");
            if (answer.finish().isTruncated()) {
                notes.println("llava: " + answer.truncationMessage());
                notes.flush();
            }
        });
    }

    private void image(String argument) {
        ShownImage image = new ShownImage(argument, decoder.apply(unquoted(argument)));
        session.add(image);
        out.printf("image %d: %s%n", session.images().size(), image);
    }

    private void images() {
        List<ShownImage> images = session.images();
        if (images.isEmpty()) {
            out.println("no image; add one with /image PATH");
        }
        int asked = images.size() - session.imagesOfNextQuestion();
        for (int i = 0; i < images.size(); i++) {
            out.printf("image %d: %s%s%n", i + 1, images.get(i), i < asked ? "" : ", for the next question");
        }
    }

    private void remove(String argument) {
        if (!argument.matches("\\d{1,9}")) {
            throw new DataException("/remove takes the number of an image; /images lists them");
        }
        out.println("removed " + session.remove(Integer.parseInt(argument)));
    }

    /** Terminals quote the name of a dropped file, or escape its blanks. */
    private static String unquoted(String argument) {
        String name = argument.strip();
        if (name.length() > 1
                && "'\"".indexOf(name.charAt(0)) >= 0
                && name.charAt(name.length() - 1) == name.charAt(0)) {
            name = name.substring(1, name.length() - 1);
        } else {
            name = name.replace("\\ ", " ");
        }
        if (name.isEmpty()) {
            throw new DataException("name an image: /image PATH");
        }
        if (name.startsWith("~/")) {
            name = System.getProperty("user.home") + name.substring(1);
        }
        return name;
    }

    private void set(String argument) {
        String[] words = argument.isEmpty() ? new String[0] : argument.split("[\\s=]+");
        if (words.length == 2) {
            session.use(ChatSettings.with(session.options(), words[0], words[1]));
        } else if (words.length != 0) {
            throw new DataException("/set takes a name and a value, for example /set temperature 0.2");
        }
        out.println(ChatSettings.describe(session.options()));
    }
}
