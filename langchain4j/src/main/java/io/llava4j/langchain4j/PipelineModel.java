package io.llava4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import java.util.Set;
import java.util.UUID;

/** What both kinds of chat model share: from LangChain4j's requests to the pipeline, and from its answers back. */
final class PipelineModel {
    static final Set<Capability> CAPABILITIES = Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);

    private final LlavaPipeline pipeline;
    private final String name;
    private final LlavaChatRequestParameters defaults;

    PipelineModel(LlavaPipeline pipeline, String name, ChatRequestParameters defaults) {
        this.pipeline = pipeline;
        this.name = name;
        this.defaults =
                LlavaChatRequestParameters.builder().overrideWith(defaults).build();
        Decoding.options(this.defaults, name);
    }

    /** A request as the pipeline understands it. */
    record Question(io.llava4j.generate.ChatRequest request, AnswerOptions options) {}

    LlavaChatRequestParameters defaults() {
        return defaults;
    }

    Question question(ChatRequest request) {
        AnswerOptions options = Decoding.options(request.parameters(), name);
        try {
            return new Question(Messages.read(request.messages()), options);
        } catch (RuntimeException e) {
            throw Failures.of(e);
        }
    }

    RunningAnswer start(Question question) {
        return pipeline.start(question.request(), question.options());
    }

    ChatResponse response(io.llava4j.generate.ChatResponse answer) {
        return ChatResponse.builder()
                .aiMessage(AiMessage.from(answer.text()))
                .metadata(ChatResponseMetadata.builder()
                        .id(UUID.randomUUID().toString())
                        .modelName(name)
                        .tokenUsage(new TokenUsage(
                                answer.usage().promptTokens(), answer.usage().answerTokens()))
                        .finishReason(
                                switch (answer.finish()) {
                                    case STOP -> FinishReason.STOP;
                                    case MAX_NEW_TOKENS, CONTEXT -> FinishReason.LENGTH;
                                    case CANCELLED -> FinishReason.OTHER;
                                })
                        .build())
                .build();
    }
}
