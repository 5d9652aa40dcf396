package io.llava4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import java.util.List;
import java.util.Set;

/**
 * A chat model of LangChain4j that answers in this JVM. Thread-safe: requests of many threads are decoded together.
 *
 * <p>Temperature, top-p, top-k, longest answer, stop sequences, response format, and of {@link LlavaChatRequestParameters} seed and
 * repetition penalty are honoured; other parameters are refused by name. Without a temperature decoding is greedy. Images come as
 * base64; their level of detail means nothing to the model, which sees every image at one resolution.
 *
 * @see LlavaStreamingChatModel
 */
public final class LlavaChatModel implements ChatModel {
    private final PipelineModel model;
    private final List<ChatModelListener> listeners;

    private LlavaChatModel(LlavaModelBuilder<?> settings) {
        this.model = settings.model();
        this.listeners = settings.listeners();
    }

    /** A model on a pipeline, with no other settings. */
    public static LlavaChatModel of(LlavaPipeline pipeline) {
        return builder().pipeline(pipeline).build();
    }

    /** Settings of a new model. */
    public static LlavaModelBuilder<LlavaChatModel> builder() {
        return new LlavaModelBuilder<>(LlavaChatModel::new);
    }

    /**
     * Answers a request.
     *
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if it asks for what the model cannot do
     * @throws dev.langchain4j.exception.InvalidRequestException if the model cannot be asked this
     * @throws dev.langchain4j.exception.RateLimitException if too many requests wait
     * @throws dev.langchain4j.exception.TimeoutException if the answer was not complete in time
     */
    @Override
    public ChatResponse doChat(ChatRequest request) {
        PipelineModel.Question question = model.question(request);
        try (RunningAnswer answer = model.start(question)) {
            while (answer.next() != null) {}
            return model.response(answer.response());
        } catch (RuntimeException e) {
            throw Failures.of(e);
        }
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return model.defaults();
    }

    @Override
    public List<ChatModelListener> listeners() {
        return listeners;
    }

    @Override
    public Set<Capability> supportedCapabilities() {
        return PipelineModel.CAPABILITIES;
    }
}
