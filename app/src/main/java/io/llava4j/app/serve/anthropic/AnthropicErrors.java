package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.ErrorFormat;
import io.llava4j.app.serve.http.Json;
import tools.jackson.databind.node.ObjectNode;

/** Anthropic's error bodies: {@code {"type": "error", "error": {"type", "message"}, "request_id"}}. */
final class AnthropicErrors implements ErrorFormat {
    static final AnthropicErrors INSTANCE = new AnthropicErrors();

    private static final int GATEWAY_TIMEOUT = 504;

    private AnthropicErrors() {}

    @Override
    public int status(ApiException.Kind kind) {
        return kind == ApiException.Kind.TIMEOUT ? GATEWAY_TIMEOUT : kind.status();
    }

    @Override
    public ObjectNode body(ApiException failure, String requestId) {
        ObjectNode body = Json.object().put("type", "error");
        body.putObject("error").put("type", type(failure.kind())).put("message", failure.sentence());
        return body.put("request_id", requestId);
    }

    private static String type(ApiException.Kind kind) {
        return switch (kind) {
            case INVALID, METHOD_NOT_ALLOWED, UNSUPPORTED_TYPE -> "invalid_request_error";
            case UNAUTHENTICATED -> "authentication_error";
            case FORBIDDEN -> "permission_error";
            case NOT_FOUND -> "not_found_error";
            case TOO_LARGE -> "request_too_large";
            case OVERLOADED -> "rate_limit_error";
            case TIMEOUT -> "timeout_error";
            case UNAVAILABLE -> "overloaded_error";
            case INTERNAL -> "api_error";
        };
    }
}
