package io.llava4j.generate;

import java.util.function.Predicate;

/** A model that streams the answer to one request. */
@FunctionalInterface
public interface StreamingChatModel {
    /**
     * Answers one request and passes on the text while it is generated.
     *
     * @param request conversation to continue
     * @param options decoding options
     * @param onText receives the text in parts; returns false to stop
     * @return the answer up to its end or the stop
     */
    ChatResponse stream(ChatRequest request, GenerationOptions options, Predicate<String> onText);
}
