package io.llava4j.generate;

import java.util.function.Predicate;

/** Anything that answers one request piece by piece: a loaded model, or a stand-in in tests. */
@FunctionalInterface
public interface StreamingChatModel {
    /**
     * Answers one request, handing out the text as it comes.
     *
     * @param request what to answer
     * @param options decoding options
     * @param onText receives pieces of text; returns false to stop
     * @return the whole answer, or as far as it came
     */
    ChatResponse stream(ChatRequest request, GenerationOptions options, Predicate<String> onText);
}
