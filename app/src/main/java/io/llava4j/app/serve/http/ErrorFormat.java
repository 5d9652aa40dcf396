package io.llava4j.app.serve.http;

import tools.jackson.databind.node.ObjectNode;

/** How an API reports errors. */
public interface ErrorFormat {
    /** The API's HTTP status for an error. */
    default int status(ApiException.Kind kind) {
        return kind.status();
    }

    /** The API's error body. */
    ObjectNode body(ApiException failure, String requestId);
}
