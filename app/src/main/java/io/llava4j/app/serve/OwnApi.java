package io.llava4j.app.serve;

import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.http.RequestCounts;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.openai.OpenAiErrors;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The server's own paths: health, metrics, tokens, version. */
final class OwnApi {
    private static final int MAX_TOKENS = 1 << 20;

    private final ServedModel model;
    private final RequestCounts counts;
    private final String version;

    private OwnApi(ServedModel model, RequestCounts counts, String version) {
        this.model = model;
        this.counts = counts;
        this.version = version;
    }

    static void addTo(Routes routes, ServedModel model, RequestCounts counts, String version) {
        OwnApi api = new OwnApi(model, counts, version);
        routes.open("/health", OpenAiErrors.INSTANCE, api::health)
                .get("/metrics", OpenAiErrors.INSTANCE, api::metrics)
                .get("/version", OpenAiErrors.INSTANCE, api::version)
                .post("/tokenize", OpenAiErrors.INSTANCE, api::tokenize)
                .post("/detokenize", OpenAiErrors.INSTANCE, api::detokenize);
    }

    private void health(Exchange exchange) {
        boolean ready = model.isReady();
        exchange.send(ready ? 200 : 503, Json.object().put("status", ready ? "ok" : "loading"));
    }

    private void metrics(Exchange exchange) {
        byte[] page = Metrics.page(model, counts).getBytes(StandardCharsets.UTF_8);
        exchange.send(200, "text/plain; version=0.0.4; charset=utf-8", page);
    }

    private void version(Exchange exchange) {
        exchange.send(Json.object().put("version", version).put("model", model.name()));
    }

    private void tokenize(Exchange exchange) {
        JsonFields fields = exchange.json();
        String text = fields.requiredText("text");
        fields.finish();
        SentencePieceTokenizer tokenizer = model.pipeline().tokenizer();
        ObjectNode body = Json.object();
        ArrayNode tokens = body.putArray("tokens");
        ArrayNode pieces = body.putArray("pieces");
        for (int id : tokenizer.encode(text)) {
            tokens.add(id);
            pieces.add(tokenizer.piece(id));
        }
        exchange.send(body.put("count", tokens.size()));
    }

    private void detokenize(Exchange exchange) {
        JsonFields fields = exchange.json();
        ArrayNode tokens = fields.array("tokens");
        fields.finish();
        SentencePieceTokenizer tokenizer = model.pipeline().tokenizer();
        if (tokens == null || tokens.size() > MAX_TOKENS) {
            throw fields.invalid("tokens", "must be an array of at most %d token ids".formatted(MAX_TOKENS));
        }
        int[] ids = new int[tokens.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = tokens.get(i);
            if (!id.isIntegralNumber()
                    || !id.canConvertToInt()
                    || id.intValue() < 0
                    || id.intValue() >= tokenizer.idCount()) {
                throw fields.invalid(
                        "tokens", "must hold whole numbers from 0 to %d".formatted(tokenizer.idCount() - 1));
            }
            ids[i] = id.intValue();
        }
        exchange.send(Json.object().put("text", tokenizer.decode(ids, false)));
    }
}
