package io.llava4j.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import io.llava4j.generate.LlavaPipeline;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Settings of a chat model.
 *
 * @param <M> what is built
 */
public final class LlavaModelBuilder<M> {
    private final Function<LlavaModelBuilder<M>, M> constructor;
    private @Nullable LlavaPipeline pipeline;
    private String modelName = "llava";
    private ChatRequestParameters defaults = DefaultChatRequestParameters.EMPTY;
    private List<ChatModelListener> listeners = List.of();

    LlavaModelBuilder(Function<LlavaModelBuilder<M>, M> constructor) {
        this.constructor = constructor;
    }

    /** Who answers; several models may share one pipeline. Whoever opened it closes it. */
    public LlavaModelBuilder<M> pipeline(LlavaPipeline opened) {
        pipeline = opened;
        return this;
    }

    /** The name that answers carry, {@code llava} unless set. Requests may name this model or none. */
    public LlavaModelBuilder<M> modelName(String name) {
        modelName = name;
        return this;
    }

    /** Parameters of requests that do not set them. */
    public LlavaModelBuilder<M> defaultRequestParameters(ChatRequestParameters parameters) {
        defaults = parameters;
        return this;
    }

    /** Who sees requests, answers and errors. */
    public LlavaModelBuilder<M> listeners(List<ChatModelListener> all) {
        listeners = List.copyOf(all);
        return this;
    }

    /**
     * The model.
     *
     * @throws IllegalStateException if there is no pipeline
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default parameter cannot be honoured
     * @throws dev.langchain4j.exception.InvalidRequestException if a default parameter is out of range
     */
    public M build() {
        return constructor.apply(this);
    }

    PipelineModel model() {
        if (pipeline == null) {
            throw new IllegalStateException("the model has no pipeline; set one");
        }
        return new PipelineModel(pipeline, modelName, defaults);
    }

    List<ChatModelListener> listeners() {
        return listeners;
    }
}
