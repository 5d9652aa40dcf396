package io.llava4j.app.serve.ollama;

import io.llava4j.app.inspect.ModelSummary;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.request.AnswerLoop;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.model.config.LlavaConfig;
import tools.jackson.databind.node.ObjectNode;

/** The paths of Ollama's API. */
public final class OllamaApi {
    private final ServedModel model;
    private final String version;

    private OllamaApi(ServedModel model, String version) {
        this.model = model;
        this.version = version;
    }

    /**
     * Adds the API to a server.
     *
     * @param version of the server
     */
    public static void addTo(Routes routes, ServedModel model, String version) {
        OllamaApi api = new OllamaApi(model, version);
        routes.errorsBelow("/api/", OllamaErrors.INSTANCE)
                .post("/api/chat", OllamaErrors.INSTANCE, api::chat)
                .post("/api/generate", OllamaErrors.INSTANCE, api::generate)
                .get("/api/tags", OllamaErrors.INSTANCE, api::tags)
                .post("/api/show", OllamaErrors.INSTANCE, api::show)
                .get("/api/version", OllamaErrors.INSTANCE, api::version);
    }

    private void chat(Exchange exchange) {
        answer(exchange, OllamaRequest.chat(exchange.undeclaredJson(), model), true);
    }

    private void generate(Exchange exchange) {
        answer(exchange, OllamaRequest.generate(exchange.undeclaredJson(), model), false);
    }

    private void answer(Exchange exchange, OllamaRequest request, boolean isChat) {
        OllamaWriter writer = new OllamaWriter(exchange, request, isChat);
        AnswerRequest answer = request.answer();
        if (answer == null) {
            model.pipeline();
            writer.loaded();
        } else {
            AnswerLoop.run(exchange, model, answer, writer);
        }
    }

    private void tags(Exchange exchange) {
        ObjectNode list = Json.object();
        list.putArray("models");
        if (model.isReady()) {
            for (String name : model.names()) {
                ObjectNode entry = list.withArray("models")
                        .addObject()
                        .put("name", name + ":latest")
                        .put("model", name + ":latest")
                        .put("modified_at", model.created().toString())
                        .put("size", model.summary().files().bytes())
                        .put("digest", model.summary().files().fingerprint());
                entry.set("details", details());
            }
        }
        exchange.send(list);
    }

    private void show(Exchange exchange) {
        JsonFields fields = exchange.undeclaredJson();
        String name = fields.text(fields.has("name") && !fields.has("model") ? "name" : "model");
        model.requireName(name == null ? "" : name);
        fields.flag("verbose", false);
        fields.finish();
        LlavaConfig config = model.pipeline().model().config();
        ObjectNode body = Json.object()
                .put("modelfile", "")
                .put("parameters", "")
                .put("template", config.conversationTemplate().name())
                .put("modified_at", model.created().toString());
        body.set("details", details());
        body.putObject("model_info")
                .put("general.architecture", "llava")
                .put("general.parameter_count", model.summary().parameters())
                .put("llava.context_length", config.text().maxPositionEmbeddings())
                .put("llava.embedding_length", config.text().hiddenSize())
                .put("llava.block_count", config.text().layers())
                .put("llava.vocab_size", config.text().vocabSize())
                .put("llava.image_tokens", config.tokensPerImage());
        body.putArray("capabilities").add("completion").add("vision");
        exchange.send(body);
    }

    private ObjectNode details() {
        ModelSummary summary = model.summary();
        ObjectNode details = Json.object()
                .put("parent_model", "")
                .put("format", summary.format())
                .put("family", "llava");
        details.putArray("families").add("llava");
        return details.put("parameter_size", summary.parametersInWords()).put("quantization_level", summary.type());
    }

    private void version(Exchange exchange) {
        exchange.send(Json.object().put("version", version));
    }
}
