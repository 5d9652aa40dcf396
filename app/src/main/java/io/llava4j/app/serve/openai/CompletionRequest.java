package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.request.AnswerFormat;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.Decoding;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.text.Turn;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request to continue a text, without a conversation template.
 *
 * @param model as the client calls it
 * @param stream how to stream; null to answer at once
 */
record CompletionRequest(String model, @Nullable StreamOptions stream, AnswerRequest answer) {
    /** This API's own limit. */
    private static final int MAX_LOGPROBS = 5;

    static CompletionRequest read(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        StreamOptions stream = StreamOptions.read(fields);
        Common.bookkeeping(fields)
                .unsupported("presence_penalty", "frequency_penalty", "logit_bias", "echo")
                .only("suffix", value -> value.isString() && value.stringValue().isEmpty())
                .only("n", value -> value.isIntegralNumber() && value.longValue() == 1)
                .only("best_of", value -> value.isIntegralNumber() && value.longValue() == 1);
        List<String> prompts = fields.texts("prompt", 1);
        if (prompts.isEmpty()) {
            throw fields.invalid("prompt", "is missing");
        }
        if (prompts.getFirst().contains(Turn.IMAGE_PLACEHOLDER)) {
            throw fields.invalid("prompt", "contains <image>, but completions have no images; use chat completions");
        }
        AnswerRequest answer = new AnswerRequest(
                new AnswerRequest.Completion(prompts.getFirst(), List.of()),
                Decoding.read(fields, Decoding.maxTokens(fields, "max_tokens"), Decoding.stops(fields, "stop")),
                AnswerFormat.TEXT,
                (int) fields.whole("logprobs", 0, MAX_LOGPROBS, -1));
        fields.finish();
        return new CompletionRequest(model, stream, answer);
    }
}
