package io.llava4j.app.serve.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** One request and its response. */
public final class Exchange {
    private static final int CHUNK = 1 << 16;

    private final ServerRequest request;
    private final ServerResponse response;
    private final String id;
    private final long maxBody;
    private final BodyBudget.Share memory;
    private final @Nullable DataReader reader;
    private boolean begun;
    private int status;

    Exchange(ServerRequest request, ServerResponse response, String id, long maxBody, BodyBudget.Share memory) {
        this.request = request;
        this.response = response;
        this.id = id;
        this.maxBody = maxBody;
        this.memory = memory;
        this.reader = Connections.current();
    }

    /** Identifies the request in the response and in the log. */
    public String id() {
        return id;
    }

    /** The part of the path that the route leaves open, such as a model's name. */
    public String pathParameter(String name) {
        return request.path().pathParameters().get(name);
    }

    /** The JSON object of the body, which must be declared as JSON. */
    public JsonFields json() {
        String type = mediaType();
        if (!type.isEmpty() && !type.equals("application/json") && !type.endsWith("+json")) {
            throw new ApiException(
                    ApiException.Kind.UNSUPPORTED_TYPE,
                    "the Content-Type of the body is not JSON; send JSON as application/json");
        }
        return undeclaredJson();
    }

    /** The JSON object of the body, whatever the body is declared as: curl declares it as a form. */
    public JsonFields undeclaredJson() {
        return new JsonFields("", Json.parse(body()));
    }

    private String mediaType() {
        String header = request.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
        int semicolon = header.indexOf(';');
        return (semicolon < 0 ? header : header.substring(0, semicolon)).strip().toLowerCase(Locale.ROOT);
    }

    private byte[] body() {
        request.headers().first(HeaderNames.CONTENT_ENCODING).ifPresent(encoding -> {
            if (!encoding.equalsIgnoreCase("identity")) {
                throw new ApiException(
                        ApiException.Kind.UNSUPPORTED_TYPE,
                        "compressed bodies are not read; send the body without Content-Encoding");
            }
        });
        long length = request.headers().contentLength().orElse(-1);
        if (length > maxBody) {
            throw tooLarge();
        }
        memory.grow(Math.max(0, length));
        byte[] bytes = new byte[length < 0 ? CHUNK : (int) length];
        int read = 0;
        try (InputStream in = request.content().inputStream()) {
            while (true) {
                if (read == bytes.length) {
                    if (length >= 0) {
                        in.read(); // the end
                        return bytes;
                    }
                    memory.grow(Math.min(maxBody, 2L * bytes.length));
                    bytes = Arrays.copyOf(bytes, 2 * bytes.length);
                }
                int count = in.read(bytes, read, bytes.length - read);
                if (count < 0) {
                    break;
                }
                read += count;
                if (read > maxBody) {
                    throw tooLarge();
                }
            }
        } catch (IOException | IllegalStateException e) {
            throw new ApiException(ApiException.Kind.INVALID, "the body could not be read to its end", e);
        }
        if (read < length) {
            throw new ApiException(
                    ApiException.Kind.INVALID,
                    "the body ends after %d of %d bytes; send as many as Content-Length says".formatted(read, length));
        }
        return Arrays.copyOf(bytes, read);
    }

    private ApiException tooLarge() {
        return new ApiException(
                ApiException.Kind.TOO_LARGE,
                "the body is larger than the limit of %d bytes; send fewer or smaller images".formatted(maxBody));
    }

    /** Adds a header to the response. */
    public Exchange header(String name, String value) {
        response.header(name, value);
        return this;
    }

    /** Answers with JSON. */
    public void send(JsonNode body) {
        send(200, "application/json", Json.bytes(body));
    }

    /** Answers with JSON and a status. */
    public void send(int code, JsonNode body) {
        send(code, "application/json", Json.bytes(body));
    }

    /** Answers with any content. */
    public void send(int code, String type, byte[] content) {
        begun = true;
        status = code;
        response.status(Status.create(code));
        response.header(HeaderNames.CONTENT_TYPE, type);
        try {
            response.send(content);
        } catch (RuntimeException e) {
            throw new ClientGoneException(e);
        }
    }

    /** Answers with nothing but a status and headers. */
    void sendEmpty(int code) {
        begun = true;
        status = code;
        response.status(Status.create(code));
        response.send();
    }

    /** Reports an error in an API's format. */
    void fail(ApiException failure, ErrorFormat format) {
        if (failure.retryAfter() > 0) {
            header("Retry-After", Integer.toString(failure.retryAfter()));
        }
        if (failure.kind() == ApiException.Kind.TOO_LARGE || failure.kind() == ApiException.Kind.UNSUPPORTED_TYPE) {
            header("Connection", "close"); // the rest of the body is not read
        }
        send(format.status(failure.kind()), format.body(failure, id));
    }

    /** Begins an answer that is sent event by event. */
    public ResponseStream stream(String type) {
        begun = true;
        status = 200;
        response.header(HeaderNames.CONTENT_TYPE, type);
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        response.header("X-Accel-Buffering", "no"); // asks proxies not to collect events
        return new ResponseStream(response.outputStream());
    }

    /** Whether a status has been sent, so that no other can be. */
    public boolean hasBegun() {
        return begun;
    }

    int status() {
        return status;
    }

    /**
     * Runs something once if the client closes its connection before the watch is closed. The body must have been read and
     * the response not begun; the connection ends with it.
     *
     * @param gone called in another thread
     */
    public Watch watch(Runnable gone) {
        header("Connection", "close"); // the watch reads, so the connection cannot serve another request
        return reader == null ? () -> {} : DisconnectWatch.start(reader, gone);
    }

    /** Looks for something until it is closed. */
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }
}
