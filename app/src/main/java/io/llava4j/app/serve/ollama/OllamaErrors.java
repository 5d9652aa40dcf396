package io.llava4j.app.serve.ollama;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.ErrorFormat;
import io.llava4j.app.serve.http.Json;
import tools.jackson.databind.node.ObjectNode;

/** Ollama's error bodies: {@code {"error": "…"}}. */
final class OllamaErrors implements ErrorFormat {
    static final OllamaErrors INSTANCE = new OllamaErrors();

    private OllamaErrors() {}

    @Override
    public ObjectNode body(ApiException failure, String requestId) {
        return Json.object().put("error", failure.sentence());
    }
}
