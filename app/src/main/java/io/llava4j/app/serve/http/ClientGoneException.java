package io.llava4j.app.serve.http;

/** The client closed its connection, so nobody reads what is left to say. */
public final class ClientGoneException extends RuntimeException {
    /** @param cause the write that failed */
    public ClientGoneException(Throwable cause) {
        super("the client is gone", cause);
    }
}
