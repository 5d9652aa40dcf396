package io.llava4j.app.serve.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** One request and its response. */
public final class Exchange implements AnswerTarget {
    private static final int CHUNK = 1 << 16;

    /** How long a client may go on sending what is not read. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    private final ServerRequest request;
    private final ServerResponse response;
    private final String id;
    private final long maxBody;
    private final BodyBudget.Share memory;
    private final @Nullable DataReader reader;
    private @Nullable Exception unreadable;
    private boolean unread;
    private boolean last;
    private boolean streamed;
    private boolean begun;
    private int status;

    Exchange(ServerRequest request, ServerResponse response, String id, long maxBody, BodyBudget.Share memory) {
        this.request = request;
        this.response = response;
        this.id = id;
        this.maxBody = maxBody;
        this.memory = memory;
        this.reader = Connections.current();
        this.unread = request.content().hasEntity();
        this.last = request.headers().contains(HeaderValues.CONNECTION_CLOSE);
    }

    /** Identifies the request in the response and in the log. */
    @Override
    public String id() {
        return id;
    }

    @Override
    public long now() {
        return Instant.now().getEpochSecond();
    }

    /** Memory that the request holds until it is answered. */
    public BodyBudget.Share memory() {
        return memory;
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
                throw compressed();
            }
        });
        long length = request.headers().contentLength().orElse(-1);
        if (length > maxBody) {
            throw tooLarge();
        }
        memory.grow(Math.max(0, length));
        try {
            byte[] bytes = read(request.content().inputStream(), length);
            unread = false;
            return bytes;
        } catch (ApiException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // what the web server throws depends on what is wrong
            unreadable = e;
            throw new ApiException(
                    ApiException.Kind.INVALID,
                    "the body could not be read to its end; send as many bytes as Content-Length or the chunks say",
                    e);
        }
    }

    /** @param length as announced; negative if it is not */
    private byte[] read(InputStream in, long length) throws IOException {
        byte[] bytes = new byte[length < 0 ? CHUNK : (int) length];
        int read = 0;
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
        if (read < length) {
            throw new EOFException();
        }
        return Arrays.copyOf(bytes, read);
    }

    /** The refusal of a body that would have to be unpacked, to any size. */
    public static ApiException compressed() {
        return new ApiException(
                ApiException.Kind.UNSUPPORTED_TYPE,
                "compressed bodies are not read; send the body without Content-Encoding");
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
    @Override
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
        if (failure.kind() == ApiException.Kind.TOO_LARGE
                || failure.kind() == ApiException.Kind.UNSUPPORTED_TYPE
                || unreadable != null) {
            endConnection(); // the rest of the body is not read
        }
        send(format.status(failure.kind()), format.body(failure, id));
        if (unreadable != null) {
            throw new ClientGoneException(unreadable); // nobody knows where the next request begins
        }
        if (last && unread) {
            discardBody();
        }
    }

    /**
     * Reads what the client still sends, within bounds. A connection that is closed before is reset, and a client that is
     * still sending may then never see the response.
     */
    private void discardBody() {
        long end = System.nanoTime() + LINGER.toNanos();
        byte[] chunk = new byte[CHUNK];
        try {
            InputStream in = request.content().inputStream();
            for (long left = 2L * maxBody; left > 0 && System.nanoTime() < end; ) {
                int count = in.read(chunk);
                if (count < 0) {
                    unread = false;
                    return;
                }
                left -= count;
            }
        } catch (IOException | RuntimeException e) {
            throw new ClientGoneException(e);
        }
    }

    private void endConnection() {
        last = true;
        header("Connection", "close");
    }

    /** Closes the connection after the last response on it, unless something of the request is left that would reset it. */
    void closeIfLast() {
        if (last && !unread) {
            throw new CloseConnectionException("the last response was sent");
        }
    }

    /** Begins an answer that is sent event by event. */
    @Override
    public ResponseStream stream(String type) {
        begun = true;
        status = 200;
        response.header(HeaderNames.CONTENT_TYPE, type);
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        response.header("X-Accel-Buffering", "no"); // asks proxies not to collect events
        streamed = true;
        response.whenSent(this::closeIfLast); // the web server ends the stream when the route has returned
        return new ResponseStream(response.outputStream());
    }

    /** Whether a status has been sent, so that no other can be. */
    public boolean hasBegun() {
        return begun;
    }

    boolean isStreamed() {
        return streamed;
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
        endConnection(); // the watch reads, so the connection cannot serve another request
        return reader == null ? () -> {} : DisconnectWatch.start(reader, gone);
    }

    /** Looks for something until it is closed. */
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }
}
