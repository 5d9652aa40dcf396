package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Keys that say which answers are learnt, and how much. Here every answer counts the same, so any other value is refused: read
 * past, an answer that was to be left out would be learnt.
 */
final class TurnWeights {
    private static final Set<String> WEIGHTS = Set.of("weight", "loss", "loss_weight", "train", "trainable", "learn");
    private static final Set<String> MASKS = Set.of("mask", "masked", "loss_mask", "ignore");

    private TurnWeights() {}

    /**
     * Checks the turns of a row.
     *
     * @throws DataException for an answer that is not to be learnt as the others are
     */
    static void check(JsonNode row) {
        for (JsonNode turns : new JsonNode[] {row.path("conversations"), row.path("messages")}) {
            int number = 0;
            for (JsonNode turn : turns) {
                number++;
                for (Map.Entry<String, JsonNode> field : turn.properties()) {
                    check(number, turn, field.getKey(), field.getValue());
                }
            }
        }
    }

    private static void check(int number, JsonNode turn, String key, JsonNode value) {
        String speaker = turn.path(turn.has("from") ? "from" : "role").asString("");
        boolean answer = speaker.equals("gpt") || speaker.equals("assistant");
        boolean reduced = WEIGHTS.contains(key)
                && (value.isNumber() ? value.asDouble() != 1 : value.isBoolean() && !value.booleanValue());
        boolean masked = MASKS.contains(key)
                && (value.isNumber() ? value.asDouble() != 0 : value.isBoolean() && value.booleanValue());
        if (answer && (reduced || masked)) {
            throw new DataException(
                    "turn %d has %s %s, but every answer is learnt alike; remove the key, or the turns that are not to be learnt"
                            .formatted(number, Quote.of(key), value));
        }
    }
}
