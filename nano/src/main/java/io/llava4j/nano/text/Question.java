package io.llava4j.nano.text;

import java.util.List;

/**
 * One question with its short answer.
 *
 * @param kind of the question
 * @param topic the same for every wording of the question; a conversation asks about a topic once
 * @param text without a format prompt
 * @param answer one word or a short phrase, lower case; numbers in digits
 * @param synonyms other answers with the same meaning
 */
public record Question(Kind kind, String topic, String text, String answer, List<String> synonyms) {
    /** What a question asks about. */
    public enum Kind {
        EXISTENCE("existence"),
        /** Whether a statement is true. */
        VERIFICATION("verification"),
        COUNT("count"),
        COLOR("color"),
        POSITION("position"),
        CATEGORY("category"),
        TEXT("text");

        private final String type;

        Kind(String type) {
            this.type = type;
        }

        /** {@code question_type} in a VQAv2-format file. */
        public String type() {
            return type;
        }
    }

    /** {@code answer_type} in a VQAv2-format file. */
    public String answerType() {
        return switch (kind) {
            case EXISTENCE, VERIFICATION -> "yes/no";
            case COUNT -> "number";
            case COLOR, POSITION, CATEGORY, TEXT -> "other";
        };
    }
}
