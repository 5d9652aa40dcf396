package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.format.EmbeddedImages;
import io.llava4j.train.data.format.ImageLocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The rules of LLaVA's data format (docs/reference/data.md#record-format, docs/reference/data.md#checks). */
public final class RecordRules {
    private static final String REGION_REQUEST = "Please provide a short description for this region:";
    private static final String BOX_REQUEST =
            "Please provide the bounding box coordinate of the region this sentence describes:";

    private final ImageLocator locator;
    private final @Nullable EmbeddedImages embedded;
    private final boolean toAnswer;
    private int leadingAnswersDropped;

    /** Rules for records whose images are in no folder that is known. */
    public RecordRules() {
        this(new ImageLocator(null), null, false);
    }

    /**
     * @param locator of the images
     * @param embedded takes images that are in the records themselves; null to refuse them
     * @param toAnswer whether the last question may be without an answer
     */
    RecordRules(ImageLocator locator, @Nullable EmbeddedImages embedded, boolean toAnswer) {
        this.toAnswer = toAnswer;
        this.locator = locator;
        this.embedded = embedded;
    }

    /** Number of conversations so far whose leading answer was dropped. */
    int leadingAnswersDropped() {
        return leadingAnswersDropped;
    }

    /** The record's id as text, whatever its type; empty if it has none. */
    static String id(JsonNode node) {
        JsonNode id = node.path("id");
        return id.isContainer() ? id.toString() : id.asString("");
    }

    /**
     * Reads a record.
     *
     * @throws DataException with a sentence that does not name the record
     */
    public LlavaRecord read(JsonNode node) {
        require(node.isObject(), "it is not a JSON object; write {\"id\": …, \"conversations\": […]}");
        List<String> images = images(node.path("image"));
        String system = system(node);
        List<Turn> turns = turns(node.path("conversations"));
        boolean startsWithAnswer = turns.size() > 1 && turns.getFirst().role() == Role.ASSISTANT;
        if (startsWithAnswer) {
            turns.removeFirst();
        }
        LlavaRecord read = new LlavaRecord(id(node), images, system, turns, "");
        check(read, toAnswer);
        if (startsWithAnswer) {
            leadingAnswersDropped++;
        }
        return read;
    }

    /**
     * Checks a record that was built elsewhere.
     *
     * @throws DataException with a sentence that does not name the record
     */
    public static void check(LlavaRecord record) {
        check(record, false);
    }

    private static void check(LlavaRecord record, boolean toAnswer) {
        require(
                !record.system().contains(Turn.IMAGE_PLACEHOLDER),
                "its system prompt contains <image>; it belongs in a question");
        checkTurns(record.turns(), toAnswer);
        checkPlaceholders(record.turns(), record.images().size());
        checkBoxes(record.turns());
    }

    private List<String> images(JsonNode node) {
        if (node.isMissingNode() || node.isNull() || (node.isNumber() && Double.isNaN(node.doubleValue()))) {
            return List.of();
        }
        List<String> images = new ArrayList<>();
        for (JsonNode image : node.isArray() ? node : List.of(node)) {
            images.add(image(image));
        }
        return images;
    }

    /** The system prompt, under its own key or as the first turn; empty if it has none. */
    private static String system(JsonNode record) {
        JsonNode own = record.path("system");
        JsonNode first = record.path("conversations").path(0);
        require(
                own.isString() || own.isMissingNode() || own.isNull(),
                "its system prompt is not a text; write a string 'system'");
        String key = own.stringValue("").strip();
        String turn = isSystem(first) ? first.path("value").stringValue("").strip() : "";
        require(
                key.isEmpty() || turn.isEmpty() || key.equals(turn),
                "it has two system prompts, the key 'system' and the first turn; leave one");
        return key.isEmpty() ? turn : key;
    }

    private static boolean isSystem(JsonNode turn) {
        return turn.path("from").stringValue("").equals("system");
    }

    private String image(JsonNode node) {
        require(node.isString(), "its image is not a string; write the path of an image, or a list of paths");
        String image = node.asString();
        return embedded != null && EmbeddedImages.isEmbedded(image) ? embedded.add(image) : locator.relative(image);
    }

    private static List<Turn> turns(JsonNode conversations) {
        require(
                conversations.isArray() && !conversations.isEmpty(),
                "it has no conversations; give it a list of turns, or question and answer, or a caption");
        List<Turn> turns = new ArrayList<>();
        for (JsonNode turn : conversations) {
            if (turns.isEmpty() && turn == conversations.path(0) && isSystem(turn)) {
                continue;
            }
            int number = turns.size() + 1;
            JsonNode value = turn.path("value");
            require(value.isString(), "turn %d has no text; give it a string 'value'".formatted(number));
            Role role = switch (turn.path("from").stringValue("")) {
                case "human" -> Role.HUMAN;
                case "gpt" -> Role.ASSISTANT;
                case "system" ->
                    throw new DataException(
                            turns.isEmpty()
                                    ? "it begins with two system prompts; join them"
                                    : "a system prompt follows turn %d; move it to the beginning"
                                            .formatted(number - 1));
                default ->
                    throw new DataException("turn %d is from %s; write human or gpt"
                            .formatted(number, Quote.of(turn.path("from").asString(""))));
            };
            turns.add(new Turn(role, value.asString()));
        }
        return turns;
    }

    private static void checkTurns(List<Turn> turns, boolean toAnswer) {
        for (int i = 0; i < turns.size(); i++) {
            Turn turn = turns.get(i);
            boolean question = i % 2 == 0;
            if (question != (turn.role() == Role.HUMAN)) {
                throw new DataException(
                        question
                                ? "an answer has no question before it; human and gpt must alternate"
                                : "a question is followed by another one; human and gpt must alternate");
            }
            require(
                    !turn.text().isBlank(),
                    "%s %d is empty; write one or remove the pair"
                            .formatted(question ? "question" : "answer", i / 2 + 1));
        }
        require(toAnswer || turns.size() % 2 == 0, "the last question has no answer; write one or remove it");
    }

    private static void checkPlaceholders(List<Turn> turns, int images) {
        int placeholders = 0;
        int turnsWithImage = 0;
        for (Turn turn : turns) {
            if (turn.text().contains(Turn.IMAGE_PLACEHOLDER)) {
                require(turn.role() == Role.HUMAN, "an answer contains <image>; it belongs in a question");
                turnsWithImage++;
                placeholders += turn.text().split(Turn.IMAGE_PLACEHOLDER, -1).length - 1;
            }
        }
        if (images == 0) {
            require(
                    turnsWithImage == 0,
                    "a question contains <image> but the record has no image; add it or remove the word");
        } else if (images == 1) {
            require(
                    turnsWithImage > 0,
                    "it has an image but no question contains <image>; add it to the first question");
            require(
                    turnsWithImage == 1,
                    "it has one image but %d questions contain <image>; leave it in one of them"
                            .formatted(turnsWithImage));
        } else {
            require(
                    placeholders == images,
                    "it has %d images but its questions contain <image> %d times; write it once for each image"
                            .formatted(images, placeholders));
        }
    }

    private static void checkBoxes(List<Turn> turns) {
        for (int i = 0; i < turns.size(); i += 2) {
            String question = turns.get(i).text();
            if (question.contains(REGION_REQUEST)) {
                checkBox(question.substring(question.indexOf(REGION_REQUEST)), i / 2 + 1);
            } else if (question.contains(BOX_REQUEST) && i + 1 < turns.size()) {
                checkBox(turns.get(i + 1).text(), i / 2 + 1);
            }
        }
    }

    private static void checkBox(String text, int pair) {
        Optional<Box> box = Boxes.parse(text);
        require(
                box.isPresent(),
                "question %d is about a box but none is given; write [x1, y1, x2, y2]".formatted(pair));
        require(
                box.get().isInside(),
                "the box %s of question %d lies outside the image or its corners are swapped; coordinates are from 0 to 1"
                        .formatted(Boxes.fixedText(box.get()), pair));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new DataException(message);
        }
    }
}
