package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.request.AnswerLoop;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.ServedModel;

/** The paths of Anthropic's API. */
public final class AnthropicApi {
    private final ServedModel model;

    private AnthropicApi(ServedModel model) {
        this.model = model;
    }

    /** Adds the API to a server. */
    public static void addTo(Routes routes, ServedModel model) {
        AnthropicApi api = new AnthropicApi(model);
        routes.errorsBelow("/v1/messages", AnthropicErrors.INSTANCE)
                .post("/v1/messages", AnthropicErrors.INSTANCE, api::message)
                .post("/v1/messages/count_tokens", AnthropicErrors.INSTANCE, api::count);
    }

    private void message(Exchange exchange) {
        MessageRequest request = MessageRequest.read(exchange.json(), model);
        AnswerLoop.run(
                exchange,
                model,
                request.answer(),
                request.stream() ? new MessageEventWriter(exchange, request) : new MessageWriter(exchange, request));
    }

    private void count(Exchange exchange) {
        AnswerRequest.Conversation conversation = MessageRequest.readForCount(exchange.json(), model);
        exchange.send(Json.object().put("input_tokens", model.promptTokens(conversation, exchange.memory())));
    }
}
