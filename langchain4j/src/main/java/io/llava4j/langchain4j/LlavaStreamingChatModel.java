package io.llava4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.llava4j.generate.LlavaPipeline;
import java.util.List;
import java.util.Set;

/**
 * A chat model of LangChain4j that answers in this JVM and shows the answer while it is being written. It honours and refuses what
 * {@link LlavaChatModel} does, and gives the same answers. Each answer calls its handler from a virtual thread of its own.
 */
public final class LlavaStreamingChatModel implements StreamingChatModel {
    private final PipelineModel model;
    private final List<ChatModelListener> listeners;

    private LlavaStreamingChatModel(LlavaModelBuilder<?> settings) {
        this.model = settings.model();
        this.listeners = settings.listeners();
    }

    /** A model on a pipeline, with no other settings. */
    public static LlavaStreamingChatModel of(LlavaPipeline pipeline) {
        return builder().pipeline(pipeline).build();
    }

    /** Settings of a new model. */
    public static LlavaModelBuilder<LlavaStreamingChatModel> builder() {
        return new LlavaModelBuilder<>(LlavaStreamingChatModel::new);
    }

    /**
     * Begins to answer a request. What happens once it is understood, such as too many waiting requests, the handler is told.
     *
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if it asks for what the model cannot do
     * @throws dev.langchain4j.exception.InvalidRequestException if its messages or parameters are wrong
     */
    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        PipelineModel.Question question = model.question(request);
        AnswerStream stream = new AnswerStream(model, handler);
        Thread.ofVirtual().name("llava-answer").start(() -> stream.run(question));
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
