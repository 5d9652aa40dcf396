package io.llava4j.app.serve.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;

/** The body of a response that is written event by event; each is sent at once. */
public final class ResponseStream implements AutoCloseable {
    /** Server-sent events. */
    public static final String EVENTS = "text/event-stream; charset=utf-8";

    /** A JSON document on each line. */
    public static final String LINES = "application/x-ndjson";

    private final OutputStream out;

    ResponseStream(OutputStream out) {
        this.out = out;
    }

    /** A server-sent event without a name. */
    public void data(JsonNode data) {
        write("data: " + Json.text(data) + "\n\n");
    }

    /** A server-sent event whose data is no JSON. */
    public void data(String data) {
        write("data: " + data + "\n\n");
    }

    /** A server-sent event with a name. */
    public void event(String name, JsonNode data) {
        write("event: " + name + "\ndata: " + Json.text(data) + "\n\n");
    }

    /** A line of JSON. */
    public void line(JsonNode data) {
        write(Json.text(data) + "\n");
    }

    private void write(String text) {
        try {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException | RuntimeException e) {
            throw new ClientGoneException(e);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException | RuntimeException e) {
            throw new ClientGoneException(e);
        }
    }
}
