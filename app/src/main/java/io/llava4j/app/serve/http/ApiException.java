package io.llava4j.app.serve.http;

import org.jspecify.annotations.Nullable;

/** A request that is refused or failed; the message is one sentence for the client. */
public final class ApiException extends RuntimeException {
    /** What is wrong, with the HTTP status that says so. */
    public enum Kind {
        INVALID(400),
        UNAUTHENTICATED(401),
        FORBIDDEN(403),
        NOT_FOUND(404),
        METHOD_NOT_ALLOWED(405),
        TIMEOUT(408),
        TOO_LARGE(413),
        UNSUPPORTED_TYPE(415),
        OVERLOADED(429),
        INTERNAL(500),
        UNAVAILABLE(503);

        private final int status;

        Kind(int status) {
            this.status = status;
        }

        /** The HTTP status, unless an API has another. */
        public int status() {
            return status;
        }
    }

    private final Kind kind;
    private final @Nullable String parameter;
    private final int retryAfter;

    private ApiException(
            Kind kind, String message, @Nullable String parameter, int retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.parameter = parameter;
        this.retryAfter = retryAfter;
    }

    /** @param message one sentence: what, where, what to do */
    public ApiException(Kind kind, String message) {
        this(kind, message, null, 0, null);
    }

    /** A failure that came of another one, which goes to the log but not to the client. */
    public ApiException(Kind kind, String message, Throwable cause) {
        this(kind, message, null, 0, cause);
    }

    /** @param parameter path of the parameter in the request, such as {@code messages[0].content} */
    public static ApiException invalid(String parameter, String message) {
        return new ApiException(Kind.INVALID, message, parameter, 0, null);
    }

    /** @param seconds after which the client may try again */
    public static ApiException retryAfter(Kind kind, String message, int seconds) {
        return new ApiException(kind, message, null, seconds, null);
    }

    /** What is wrong. */
    public Kind kind() {
        return kind;
    }

    /** The sentence for the client. */
    public String sentence() {
        return String.valueOf(getMessage());
    }

    /** Path of the parameter in the request; null if it is none or several. */
    public @Nullable String parameter() {
        return parameter;
    }

    /** Seconds after which the client may try again; 0 if that does not apply. */
    public int retryAfter() {
        return retryAfter;
    }
}
