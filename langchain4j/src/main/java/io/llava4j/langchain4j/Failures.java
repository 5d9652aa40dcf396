package io.llava4j.langchain4j;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.generate.schedule.AnswerTimeoutException;
import io.llava4j.generate.schedule.OverloadedException;

/** Failures of the pipeline as LangChain4j's exceptions, with the same sentence. */
final class Failures {
    private Failures() {}

    static RuntimeException of(RuntimeException failure) {
        return switch (failure) {
            case LangChain4jException own -> own;
            case OverloadedException overloaded -> new RateLimitException(overloaded);
            case AnswerTimeoutException timeout -> new TimeoutException(timeout);
            case CheckpointException checkpoint -> new InternalServerException(checkpoint);
            case LlavaException refused -> new InvalidRequestException(refused);
            default -> new InternalServerException(failure);
        };
    }
}
