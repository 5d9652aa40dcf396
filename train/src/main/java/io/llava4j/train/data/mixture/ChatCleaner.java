package io.llava4j.train.data.mixture;

import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.Annotation.Chat;
import io.llava4j.train.data.raw.Annotation.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Cleans shared conversations as Vicuna did, rule by rule (docs/reference/data.md#sharegpt-cleaning). */
final class ChatCleaner {
    private static final List<String> BLOCKED_WORDS = List.of("openai", "chatgpt");
    private static final List<String> BLOCKED_REPLIES =
            List.of("Too many requests in 1 hour. Try again later.", "!Too many requests in 1 hour. Try again later.");
    private static final Set<String> HUMANS = Set.of("human", "user");
    private static final Set<String> ASSISTANTS = Set.of("gpt", "chatgpt", "bing", "bard", "assistant");
    private static final Pattern BROKEN_LIST = Pattern.compile("(?:^|\n)1\\. [^2]*\n1\\. ");

    private final Rules rules;

    ChatCleaner(Rules rules) {
        this.rules = rules;
    }

    /**
     * Cleans a conversation.
     *
     * @return questions and answers in turn
     *
     * @throws RejectedException if a rule rejects it
     */
    List<Turn> clean(Chat chat) {
        List<Message> messages = new ArrayList<>(chat.messages());
        if (rules.on(Rule.DROP_LEADING_ANSWERS)) {
            while (!messages.isEmpty() && role(messages.getFirst()) != Role.HUMAN) {
                messages.removeFirst();
            }
        }
        requireTurns(messages.size());
        if (rules.on(Rule.DROP_TRAILING_QUESTION) && !messages.isEmpty() && role(messages.getLast()) == Role.HUMAN) {
            messages.removeLast();
        }
        requireTurns(messages.size());
        checkWords(messages);
        List<Turn> turns = new ArrayList<>();
        for (Message message : messages) {
            String text = rules.on(Rule.HTML_TO_MARKDOWN) ? Markdown.of(message.value()) : message.value();
            if (rules.on(Rule.STOP_AT_EMPTY) && (text.isBlank() || !isPrintable(text.codePointAt(0)))) {
                break;
            }
            add(turns, message, text);
        }
        if (rules.on(Rule.DROP_TRAILING_QUESTION) && turns.size() % 2 != 0) {
            turns.removeLast();
        }
        requireTurns(turns.size());
        checkText(turns);
        return turns;
    }

    /** Equal for conversations with equal texts: two independent hashes, since the texts themselves would take gigabytes. */
    String fingerprint(List<Turn> turns) {
        StringBuilder all = new StringBuilder();
        turns.forEach(turn -> all.append(turn.text()).append('\0'));
        String text = all.toString();
        return Long.toHexString(KeyedRandom.of(1, text)) + "-" + Long.toHexString(KeyedRandom.of(2, text));
    }

    private void requireTurns(int turns) {
        if (turns < rules.limit(Rule.MIN_TURNS)) {
            throw new RejectedException(Rule.MIN_TURNS, "it has %d turns left".formatted(turns));
        }
    }

    private void checkWords(List<Message> messages) {
        for (Message message : messages) {
            String lower = message.value().toLowerCase(Locale.ROOT);
            if (rules.on(Rule.BLOCKED_WORDS) && BLOCKED_WORDS.stream().anyMatch(lower::contains)) {
                throw new RejectedException(Rule.BLOCKED_WORDS, "it names the service it comes from");
            }
            if (rules.on(Rule.BLOCKED_REPLIES) && BLOCKED_REPLIES.stream().anyMatch(message.value()::startsWith)) {
                throw new RejectedException(Rule.BLOCKED_REPLIES, "a reply is an error message");
            }
        }
    }

    private void add(List<Turn> turns, Message message, String text) {
        Role role = role(message);
        Role expected = turns.size() % 2 == 0 ? Role.HUMAN : Role.ASSISTANT;
        if (role == expected) {
            turns.add(new Turn(role, text));
        } else if (rules.on(Rule.STRICT_ALTERNATION) || role == null || turns.isEmpty()) {
            throw new RejectedException(
                    Rule.STRICT_ALTERNATION,
                    "turn %d is from '%s' where the other side must speak"
                            .formatted(turns.size() + 1, shown(message.from())));
        } else {
            Turn last = turns.removeLast();
            turns.add(new Turn(last.role(), last.text() + "\n" + text));
        }
    }

    private void checkText(List<Turn> turns) {
        StringBuilder all = new StringBuilder();
        for (Turn turn : turns) {
            all.append(turn.text()).append('\0');
            if (rules.on(Rule.NO_BROKEN_LISTS)
                    && BROKEN_LIST.matcher(turn.text()).find()) {
                throw new RejectedException(Rule.NO_BROKEN_LISTS, "a numbered list repeats 1 without a 2");
            }
        }
        if (all.length() - turns.size() < rules.limit(Rule.MIN_CHARACTERS)) {
            throw new RejectedException(
                    Rule.MIN_CHARACTERS, "it has only %d characters".formatted(all.length() - turns.size()));
        }
        List<String> languages = rules.languages();
        if (!languages.isEmpty()) {
            String language = Scripts.language(all.toString());
            if (languages.contains(language)) {
                throw new RejectedException(Rule.SKIP_LANGUAGES, "its language is " + language);
            }
        }
    }

    /** Who speaks; null for anyone else, such as the system. */
    private static @Nullable Role role(Message message) {
        String from = message.from().toLowerCase(Locale.ROOT);
        if (HUMANS.contains(from)) {
            return Role.HUMAN;
        }
        return ASSISTANTS.contains(from) ? Role.ASSISTANT : null;
    }

    /** As Python's {@code isprintable}: no control, format, private or unassigned character, no other space. */
    private static boolean isPrintable(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> character == ' ';
            default -> true;
        };
    }

    private static String shown(String text) {
        return text.length() <= 20 ? text : text.substring(0, 20) + "…";
    }
}
