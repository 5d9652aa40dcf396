package io.llava4j.generate;

import java.util.List;

/** Anything that answers requests: a loaded model, or a stand-in in tests. */
public interface ChatModel {
    /**
     * Answers a batch; an answer does not depend on what else is in the batch.
     *
     * @param requests what to answer
     * @param options decoding options
     * @return one trimmed text per request, in order
     */
    List<String> answer(List<ChatRequest> requests, GenerationOptions options);
}
