package io.llava4j.generate;

import java.util.List;

/** A model that answers requests in batches; implemented by {@link LlavaPipeline} and by fakes in tests. */
public interface ChatModel {
    /**
     * Answers a batch; an answer does not depend on the other requests of the batch.
     *
     * @param requests conversations to continue
     * @param options decoding options
     * @return one trimmed answer per request, in order
     */
    List<String> answer(List<ChatRequest> requests, GenerationOptions options);
}
