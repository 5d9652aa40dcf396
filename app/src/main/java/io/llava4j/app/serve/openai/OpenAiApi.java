package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.request.AnswerLoop;
import io.llava4j.app.serve.request.ServedModel;
import tools.jackson.databind.node.ObjectNode;

/** The paths of OpenAI's API. */
public final class OpenAiApi {
    private final ServedModel model;

    private OpenAiApi(ServedModel model) {
        this.model = model;
    }

    /** Adds the API to a server. */
    public static void addTo(Routes routes, ServedModel model) {
        OpenAiApi api = new OpenAiApi(model);
        routes.errorsBelow("/", OpenAiErrors.INSTANCE)
                .post("/v1/chat/completions", OpenAiErrors.INSTANCE, api::chat)
                .post("/v1/completions", OpenAiErrors.INSTANCE, api::completion)
                .post("/v1/responses", OpenAiErrors.INSTANCE, api::response)
                .get("/v1/models", OpenAiErrors.INSTANCE, api::models)
                .get("/v1/models/{name}", OpenAiErrors.INSTANCE, api::oneModel);
    }

    private void chat(Exchange exchange) {
        ChatCompletionRequest request = ChatCompletionRequest.read(exchange.json(), model);
        AnswerLoop.run(
                exchange,
                model,
                request.answer(),
                request.stream() == null
                        ? new ChatCompletionWriter(
                                exchange, request, model.pipeline().tokenizer())
                        : new ChatChunkWriter(
                                exchange, request, model.pipeline().tokenizer()));
    }

    private void completion(Exchange exchange) {
        CompletionRequest request = CompletionRequest.read(exchange.json(), model);
        AnswerLoop.run(
                exchange,
                model,
                request.answer(),
                new CompletionWriter(exchange, request, model.pipeline().tokenizer()));
    }

    private void response(Exchange exchange) {
        ResponseRequest request = ResponseRequest.read(exchange.json(), model);
        ResponseObject object = new ResponseObject(exchange, request);
        AnswerLoop.run(
                exchange,
                model,
                request.answer(),
                request.stream()
                        ? new ResponseEventWriter(
                                exchange,
                                object,
                                request.answer().topLogprobs() >= 0,
                                model.pipeline().tokenizer())
                        : new ResponseWriter(
                                exchange,
                                object,
                                request.answer().topLogprobs() >= 0,
                                model.pipeline().tokenizer()));
    }

    private void models(Exchange exchange) {
        ObjectNode list = Json.object().put("object", "list");
        for (String name : model.names()) {
            list.withArray("data").add(describe(name));
        }
        exchange.send(list);
    }

    private void oneModel(Exchange exchange) {
        String name = exchange.pathParameter("name");
        model.requireName(name);
        exchange.send(describe(name));
    }

    private ObjectNode describe(String name) {
        return Json.object()
                .put("id", name)
                .put("object", "model")
                .put("created", model.created().getEpochSecond())
                .put("owned_by", "llava4j");
    }

    /** A failure of a stream, as the clients of this API expect it between the events. */
    static ObjectNode streamFailure(ApiException failure, AnswerTarget target) {
        return OpenAiErrors.INSTANCE.body(failure, target.id());
    }
}
