package io.llava4j.generate;

import io.llava4j.generate.schedule.FinishReason;
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

    /**
     * An answer and why it ended.
     *
     * @param text the answer, trimmed
     * @param finish {@link FinishReason#STOP} where the model does not say
     */
    record Answer(String text, FinishReason finish) {}

    /** {@link #answer} with the reasons why the answers ended. */
    default List<Answer> finishedAnswers(List<ChatRequest> requests, GenerationOptions options) {
        return answer(requests, options).stream()
                .map(text -> new Answer(text, FinishReason.STOP))
                .toList();
    }

    /**
     * Checks a request without answering it; of its images only the number counts.
     *
     * @throws io.llava4j.DataException if the request cannot be answered, such as one longer than the model's context
     */
    default void check(ChatRequest request) {}
}
