package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.ErrorFormat;
import io.llava4j.app.serve.http.Json;
import tools.jackson.databind.node.ObjectNode;

/** OpenAI's error bodies: {@code {"error": {"message", "type", "param", "code"}}}. */
public final class OpenAiErrors implements ErrorFormat {
    /** The only one. */
    public static final OpenAiErrors INSTANCE = new OpenAiErrors();

    private OpenAiErrors() {}

    @Override
    public ObjectNode body(ApiException failure, String requestId) {
        ObjectNode body = Json.object();
        body.putObject("error")
                .put("message", failure.sentence())
                .put("type", type(failure.kind()))
                .put("param", failure.parameter())
                .put("code", code(failure.kind()));
        return body;
    }

    private static String type(ApiException.Kind kind) {
        return switch (kind) {
            case OVERLOADED -> "rate_limit_error";
            case INTERNAL, UNAVAILABLE, TIMEOUT -> "server_error";
            default -> "invalid_request_error";
        };
    }

    static String code(ApiException.Kind kind) {
        return switch (kind) {
            case INVALID -> "invalid_value";
            case UNAUTHENTICATED -> "invalid_api_key";
            case FORBIDDEN -> "forbidden";
            case NOT_FOUND -> "not_found";
            case METHOD_NOT_ALLOWED -> "method_not_allowed";
            case TIMEOUT -> "timeout";
            case TOO_LARGE -> "request_too_large";
            case UNSUPPORTED_TYPE -> "unsupported_media_type";
            case OVERLOADED -> "rate_limit_exceeded";
            case INTERNAL -> "server_error";
            case UNAVAILABLE -> "unavailable";
        };
    }
}
