package io.llava4j.app.batch;

import io.llava4j.app.serve.http.Json;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;
import java.nio.charset.StandardCharsets;
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
record BatchLine(String json, String failure, boolean truncated, int promptTokens, int imageTokens, int answerTokens) {
    private static final int OK = 200;

    static BatchLine answered(ObjectNode line, FinishReason finish, Usage usage) {
        return new BatchLine(
                Json.text(line),
                "",
                finish.isTruncated(),
                usage.promptTokens(),
                usage.imageTokens(),
                usage.answerTokens());
    }

    static BatchLine failed(ObjectNode line, String sentence) {
        return new BatchLine(Json.text(line), sentence, false, 0, 0, 0);
    }

    /** Whether a line that was written earlier, in either format, is about a failure; its sentence, or an empty text. */
    static String failureOf(String json) {
        ObjectNode line = Json.parse(json.getBytes(StandardCharsets.UTF_8), "a line of the answers");
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
