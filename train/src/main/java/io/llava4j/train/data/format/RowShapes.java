package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Converts rows of other shapes into LLaVA records (docs/reference/data.md#record-format):
 *
 * <ul>
 *   <li>{@code image, question, answer} and, optionally, {@code response_format}; of a list {@code answers} the most
 *       frequent one is used, among equals the first
 *   <li>{@code image, caption} or {@code image, text}: stage 1's pair
 *   <li>{@code messages}, or {@code conversations}: turns of {@code role} and {@code content}
 *   <li>{@code texts}: pairs of {@code user} and {@code assistant}
 * </ul>
 *
 * <p>Images are found by {@link RowImages}, or in the parts of messages; a first message of the role {@code system} is
 * its system prompt, as are {@code system} and {@code system_prompt}. Rows of any other shape stay as they are.
 */
public final class RowShapes {
    /** The request before a caption; the template of stage 1 omits it. */
    public static final String CAPTION_REQUEST = "Provide a brief description of the given image.";

    private static final List<String> SYSTEM = List.of("system", "system_prompt");
    private static final String PLACEHOLDER = "<image>";
    private static final List<String> CAPTION_NAMES = List.of("caption", "text");
    private static final List<String> ASKING = List.of("question", "prompt", "text");
    private static final List<String> QUESTION_FIELDS = List.of("question", "answer", "answers", "response_format");
    private static final Map<String, String> SPEAKERS =
            Map.of("human", "human", "user", "human", "gpt", "gpt", "assistant", "gpt", "developer", "system");

    private RowShapes() {}

    /** Whether rows with these columns can become records that a handler takes. */
    static boolean isKnown(Collection<String> columns, RecordHandler handler) {
        return isKnown(columns)
                || (handler.takesQuestions()
                        && (hasQuestion(columns) || columns.stream().anyMatch(RowImages::isImageKey)));
    }

    /** Whether rows with these columns ask something, with or without an answer. */
    static boolean hasQuestion(Collection<String> columns) {
        return ASKING.stream().anyMatch(columns::contains);
    }

    static boolean isKnown(Collection<String> columns) {
        return columns.contains("conversations")
                || columns.contains("messages")
                || columns.contains("texts")
                || (columns.contains("question") && (columns.contains("answer") || columns.contains("answers")))
                || CAPTION_NAMES.stream().anyMatch(columns::contains);
    }

    /** Whether a record takes something from this field of a row; the others are extra. */
    static boolean reads(JsonNode row, String field) {
        if (RowImages.isImageKey(field) || field.equals("id") || SYSTEM.contains(field)) {
            return true;
        }
        if (row.has("conversations")) {
            return field.equals("conversations");
        }
        if (field.equals("question_id") && !row.has("id")) {
            return true;
        }
        if (row.path("messages").isArray() || row.path("texts").isArray()) {
            return field.equals("messages") || field.equals("texts");
        }
        return row.has("question")
                ? QUESTION_FIELDS.contains(field)
                : CAPTION_NAMES.stream().filter(row::has).findFirst().stream().anyMatch(field::equals);
    }

    /**
     * Converts a row into a record in LLaVA's format.
     *
     * @return the row itself if it has none of the other shapes
     *
     * @throws io.llava4j.DataException if its {@code response_format} does not exist, or it has an image or a video that
     *     cannot be used
     */
    public static JsonNode toRecord(JsonNode row, QuestionRows questions) {
        if (!(row instanceof ObjectNode object)) {
            return row;
        }
        TurnWeights.check(object);
        if (object.has("conversations") && chat(object) == null) {
            return withImages(object);
        }
        List<String> partImages = new ArrayList<>();
        ArrayNode turns = turns(object, questions, partImages);
        if (turns == null) {
            return row;
        }
        ObjectNode record = JsonNodeFactory.instance.objectNode();
        JsonNode id = object.path("id").isMissingNode() ? object.path("question_id") : object.path("id");
        if (!id.isMissingNode()) {
            record.set("id", id);
        }
        boolean several = chat(object) != null || object.path("texts").isArray();
        List<String> images = partImages.isEmpty() ? RowImages.of(object, !several) : partImages;
        if (!partImages.isEmpty()
                && !RowImages.known(object).isEmpty()
                && !RowImages.of(object, false).equals(partImages)) {
            throw new DataException("it has other images in its messages than under '%s'; leave one of the two"
                    .formatted(RowImages.known(object).sequencedKeySet().getFirst()));
        }
        setImages(record, images, turns);
        setSystem(record, object);
        record.set("conversations", turns);
        return record;
    }

    /** A record in LLaVA's format whose images are under {@code image}. */
    private static JsonNode withImages(ObjectNode record) {
        List<String> images = RowImages.of(record, false);
        JsonNode image = record.path("image");
        boolean own = images.size() < 2
                && (image.isString() || image.isNumber() || (images.isEmpty() && image.isMissingNode()));
        if (own && !record.has("system_prompt")) {
            return record;
        }
        ObjectNode copy = record.deepCopy();
        setSystem(copy, record);
        if (own) {
            return copy;
        }
        if (images.isEmpty()) {
            copy.remove("image");
        } else if (copy.path("conversations") instanceof ArrayNode turns) {
            setImages(copy, images, turns);
        }
        return copy;
    }

    private static void setImages(ObjectNode record, List<String> images, ArrayNode turns) {
        if (images.size() == 1) {
            record.put("image", images.getFirst());
        } else if (images.size() > 1) {
            images.forEach(record.putArray("image")::add);
        }
        if (!images.isEmpty()) {
            placeImages(turns, images.size());
        }
    }

    private static void setSystem(ObjectNode record, ObjectNode row) {
        JsonNode system = row.path(row.has("system") ? "system" : "system_prompt");
        if (!system.isMissingNode()) {
            record.set("system", system);
        }
    }

    /** The messages of a chat, each with {@code role} and {@code content} or with its own images; null for rows of other shapes. */
    private static @Nullable JsonNode chat(ObjectNode row) {
        if (row.path("messages").isArray() && !row.has("conversations")) {
            return row.path("messages");
        }
        JsonNode turns = row.path("conversations");
        boolean chat = turns.path(0).has("role") && turns.path(0).has("content");
        return chat || turns.valueStream().anyMatch(RowImages::hasImages) ? turns : null;
    }

    private static @Nullable ArrayNode turns(ObjectNode row, QuestionRows questions, List<String> images) {
        ArrayNode turns = JsonNodeFactory.instance.arrayNode();
        JsonNode chat = chat(row);
        if (chat != null) {
            for (JsonNode message : chat) {
                String role =
                        message.path(message.has("from") ? "from" : "role").stringValue("");
                JsonNode content = message.path(message.has("value") ? "value" : "content");
                ObjectNode turn =
                        turn(SPEAKERS.getOrDefault(role, role), content.isArray() ? parts(content, images) : content);
                List<String> own = RowImages.hasImages(message) ? RowImages.named(message) : List.of();
                images.addAll(own);
                if (turn.path("value").isString()) {
                    placeImages(turn, own.size());
                }
                turns.add(turn);
            }
            return turns;
        }
        if (row.path("texts").isArray()) {
            for (JsonNode pair : row.path("texts")) {
                turns.add(turn("human", pair.path("user"))).add(turn("gpt", pair.path("assistant")));
            }
            return turns;
        }
        JsonNode answer = mostFrequent(row.path(row.path("answer").isMissingNode() ? "answers" : "answer"));
        if (questions.captionRequest() != null) {
            return toAnswer(row, questions, questions.captionRequest(), answer);
        }
        if (row.has("question")) {
            JsonNode question = row.path("question");
            JsonNode asked = formatted(question, row, questions);
            if (answer.isNull() || answer.isMissingNode() || answer.isObject()) {
                throw new DataException("its answer is %s; write one or remove the row"
                        .formatted(answer.isObject() ? "an object, not a text" : "empty"));
            }
            return turns.add(turn("human", asked)).add(turn("gpt", answer));
        }
        Optional<String> caption = CAPTION_NAMES.stream().filter(row::has).findFirst();
        return caption.map(name -> turns.add(turn("human", JsonNodeFactory.instance.stringNode(CAPTION_REQUEST)))
                        .add(turn("gpt", row.path(name))))
                .orElse(null);
    }

    /** The turns of a row that is to be answered: its question, and its answer if it has one. */
    private static ArrayNode toAnswer(ObjectNode row, QuestionRows questions, String captionRequest, JsonNode answer) {
        ArrayNode turns = JsonNodeFactory.instance.arrayNode();
        Optional<String> asked = ASKING.stream().filter(row::has).findFirst();
        if (asked.isEmpty() && RowImages.of(row, true).isEmpty()) {
            throw new DataException("it has no question; give it one, or conversations, or an image");
        }
        turns.add(turn(
                "human",
                asked.map(name -> formatted(row.path(name), row, questions))
                        .orElseGet(() -> JsonNodeFactory.instance.stringNode(captionRequest))));
        JsonNode known = asked.isEmpty() && answer.isMissingNode() ? row.path("caption") : answer;
        return known.isValueNode() && !known.isNull() && !known.asString().isBlank()
                ? turns.add(turn("gpt", known))
                : turns;
    }

    /** A question with the prompt of its response format. */
    private static JsonNode formatted(JsonNode question, ObjectNode row, QuestionRows questions) {
        return question.isString() && !question.stringValue().isBlank()
                ? JsonNodeFactory.instance.stringNode(questions.formatOf(row).ask(question.stringValue()))
                : question;
    }

    /** The question of a row that has one and its answer; null for rows of other shapes. */
    public static @Nullable String question(JsonNode row) {
        boolean other = row.has("conversations")
                || row.path("messages").isArray()
                || row.path("texts").isArray();
        JsonNode question = row.path("question");
        return other || !question.isString() ? null : question.stringValue();
    }

    private static ObjectNode turn(String from, JsonNode value) {
        ObjectNode turn = JsonNodeFactory.instance.objectNode().put("from", from);
        if (value.isNumber() || value.isBoolean()) {
            return turn.put("value", value.asString());
        }
        if (!value.isMissingNode() && !value.isNull()) {
            turn.set("value", value);
        }
        return turn;
    }

    /** Joins content in parts, as chat interfaces have it; an image part becomes a placeholder. */
    private static JsonNode parts(JsonNode content, List<String> images) {
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            String type = part.path("type").stringValue("");
            if (type.startsWith("video") || type.startsWith("audio")) {
                throw new DataException("a message has a part of type %s, which cannot be used; remove the record"
                        .formatted(Quote.of(type)));
            }
            boolean image = type.startsWith("image") || type.equals("input_image");
            String name = image ? RowImages.ofPart(part) : "";
            if (!name.isEmpty()) {
                images.add(name);
            }
            text.append(image ? PLACEHOLDER + "\n" : part.path("text").asString(""));
        }
        return JsonNodeFactory.instance.stringNode(text.toString().strip());
    }

    /** The most frequent text of a list of texts or of objects with an {@code answer}; among equals, the first. */
    private static JsonNode mostFrequent(JsonNode answers) {
        if (!answers.isArray()) {
            return answers;
        }
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (JsonNode answer : answers) {
            String text = answer.isContainer() ? answer.path("answer").asString("") : answer.asString("");
            counts.merge(text, 1, Integer::sum);
        }
        String best = "";
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            if (entry.getValue() > counts.getOrDefault(best, 0)) {
                best = entry.getKey();
            }
        }
        return JsonNodeFactory.instance.stringNode(best);
    }

    /** Adds placeholders to the first question, unless a turn contains one. */
    private static void placeImages(ArrayNode turns, int images) {
        JsonNode question = null;
        for (JsonNode turn : turns) {
            if (turn.path("value").stringValue("").contains(PLACEHOLDER)) {
                return;
            }
            boolean human = turn.path("from").stringValue("").equals("human");
            question = question == null && human ? turn : question;
        }
        if (question instanceof ObjectNode first && first.path("value").isString()) {
            placeImages(first, images);
        }
    }

    /** Adds placeholders to a turn, unless it contains one. */
    private static void placeImages(ObjectNode turn, int images) {
        String text = turn.path("value").asString();
        if (!text.contains(PLACEHOLDER)) {
            turn.put("value", (PLACEHOLDER + "\n").repeat(images) + text);
        }
    }
}
