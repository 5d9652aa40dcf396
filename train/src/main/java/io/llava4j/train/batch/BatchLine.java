package io.llava4j.train.batch;

import io.llava4j.DataException;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;
import io.llava4j.io.StrictJson;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a batch says about one record.
 *
 * @param json one line of the output, without its line end
 * @param failure one sentence; empty for an answer
 * @param truncated whether a limit ended the answer
 * @param promptTokens tokens of the prompt, image tokens included
 * @param imageTokens tokens of its images
 * @param answerTokens tokens of the answer
 */
public record BatchLine(
        String json, String failure, boolean truncated, int promptTokens, int imageTokens, int answerTokens) {
    private static final int OK = 200;

    /** An answer. */
    public static BatchLine answered(ObjectNode line, FinishReason finish, Usage usage) {
        return new BatchLine(
                text(line), "", finish.isTruncated(), usage.promptTokens(), usage.imageTokens(), usage.answerTokens());
    }

    /**
     * A record without an answer.
     *
     * @param sentence says why
     */
    public static BatchLine failed(ObjectNode line, String sentence) {
        return new BatchLine(text(line), sentence, false, 0, 0, 0);
    }

    private static String text(ObjectNode line) {
        return StrictJson.MAPPER.writeValueAsString(line);
    }

    /** Whether a line that was written earlier, in either format, is about a failure; its sentence, or an empty text. */
    static String failureOf(String json) {
        JsonNode line;
        try {
            line = StrictJson.MAPPER.readTree(json);
        } catch (JacksonException e) {
            throw new DataException("an earlier answer is no JSON (%s)".formatted(e.getOriginalMessage()), e);
        }
        JsonNode error = line.path("error");
        if (error.isMissingNode() || error.isNull()) {
            JsonNode response = line.path("response");
            error = response.path("status_code").asInt(OK) == OK
                    ? error
                    : response.path("body").path("error");
        }
        return error.path("message").asString("");
    }
}
