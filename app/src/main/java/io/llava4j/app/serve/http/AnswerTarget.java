package io.llava4j.app.serve.http;

import tools.jackson.databind.JsonNode;

/** Where the answer to a request goes: to a client, or into a file of a batch. */
public interface AnswerTarget {
    /** Identifies the request; begins with {@code req_}. */
    String id();

    /** The time that the answer bears, in seconds since 1970. */
    long now();

    /** Takes the whole answer. */
    void send(JsonNode body);

    /** Begins an answer in pieces. */
    ResponseStream stream(String type);
}
