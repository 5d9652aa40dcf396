package io.llava4j.app.serve.http;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.generate.InvalidMessageException;
import io.llava4j.generate.schedule.AnswerTimeoutException;
import io.llava4j.generate.schedule.OverloadedException;

/** What the failures of a model mean for its clients. */
public final class Failures {
    private Failures() {}

    /** The error that the client is told; a failure that is nobody's fault but the server's keeps its cause for the log. */
    public static ApiException of(Throwable failure) {
        return switch (failure) {
            case ApiException api -> api;
            case OverloadedException overloaded ->
                ApiException.retryAfter(ApiException.Kind.OVERLOADED, sentence(overloaded), (int)
                        Math.max(1, overloaded.retryAfter().toSeconds()));
            case AnswerTimeoutException timeout -> new ApiException(ApiException.Kind.TIMEOUT, sentence(timeout));
            case CheckpointException checkpoint ->
                new ApiException(ApiException.Kind.INTERNAL, sentence(checkpoint), checkpoint);
            case InvalidMessageException message -> ApiException.invalid(message.where(), sentence(message));
            case LlavaException refused -> new ApiException(ApiException.Kind.INVALID, sentence(refused));
            case OutOfMemoryError full ->
                new ApiException(
                        ApiException.Kind.UNAVAILABLE,
                        "the server has not enough memory for this request; send fewer or smaller images",
                        full);
            default ->
                new ApiException(
                        ApiException.Kind.INTERNAL, "the server failed on this request; its log says why", failure);
        };
    }

    private static String sentence(LlavaException failure) {
        return String.valueOf(failure.getMessage());
    }
}
