package io.llava4j.train.data.format;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.KebabCase;
import io.llava4j.io.Quote;
import io.llava4j.text.ResponseFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * How rows with an image, a question and an answer become conversations. Records that are conversations already stay as
 * they are.
 *
 * @param mergeByImage whether all rows with the same image and the same response format make one conversation, with the
 *     format's prompt in its first question only (docs/reference/data.md#conversation-layouts)
 * @param responseFormat response format of rows that have no {@code response_format} of their own
 * @param captionRequest where rows are questions to be answered: what is asked of a row that has an image and no question; null
 *     where rows are samples, which need answers
 */
public record QuestionRows(
        boolean mergeByImage,
        ResponseFormat responseFormat,
        @Nullable String captionRequest) {
    private static final List<ResponseFormat> OF_QUESTIONS = List.of(
            ResponseFormat.NONE, ResponseFormat.SHORT, ResponseFormat.LETTER, ResponseFormat.SHORT_OR_UNANSWERABLE);

    /** Rows are merged by image; questions stay as they are. */
    public static final QuestionRows STANDARD = new QuestionRows(true, ResponseFormat.NONE);

    /** @throws ConfigException if questions cannot have this format */
    public QuestionRows {
        requireFor(responseFormat);
    }

    /** Of samples, which need answers. */
    public QuestionRows(boolean mergeByImage, ResponseFormat responseFormat) {
        this(mergeByImage, responseFormat, null);
    }

    /**
     * Of questions to be answered: {@code question}, {@code prompt} or {@code text} of a row. An answer that a row has stays as its
     * last turn.
     *
     * @param captionRequest what is asked of a row that has an image and no question
     */
    public static QuestionRows toAnswer(ResponseFormat responseFormat, String captionRequest) {
        return new QuestionRows(false, responseFormat, captionRequest);
    }

    /** Whether rows are questions to be answered. */
    public boolean areToAnswer() {
        return captionRequest != null;
    }

    /** @throws ConfigException if questions cannot have this format */
    public static void requireFor(ResponseFormat responseFormat) {
        if (!OF_QUESTIONS.contains(responseFormat)) {
            throw new ConfigException("response-format must be one of %s for questions of your own, not %s"
                    .formatted(names(), name(responseFormat)));
        }
    }

    /**
     * The response format of a row.
     *
     * @throws DataException if it names one that does not exist
     */
    public ResponseFormat formatOf(JsonNode row) {
        JsonNode own = row.path("response_format");
        if (own.isMissingNode() || own.isNull() || own.asString("").isBlank()) {
            return responseFormat;
        }
        return find(own.asString(""))
                .orElseThrow(() -> new DataException(
                        "its response_format is %s; write one of %s".formatted(Quote.of(own.asString("")), names())));
    }

    /**
     * The response format with this name, in upper or lower case.
     *
     * @throws ConfigException if no response format of questions has this name
     */
    public static ResponseFormat named(String name) {
        return find(name)
                .orElseThrow(() -> new ConfigException(
                        "response format '%s' does not exist; write one of %s".formatted(name, names())));
    }

    private static Optional<ResponseFormat> find(String name) {
        String wanted = KebabCase.of(name.strip());
        return OF_QUESTIONS.stream()
                .filter(format -> name(format).equals(wanted))
                .findFirst();
    }

    private static String names() {
        return String.join(", ", OF_QUESTIONS.stream().map(QuestionRows::name).toList());
    }

    private static String name(ResponseFormat format) {
        return KebabCase.of(format);
    }
}
