package io.llava4j.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/** LangChain4j's own tests of chat models. Those about tools, other models' names and addresses of images test the refusal. */
class ChatModelContractTest extends AbstractChatModelIT {
    @Override
    protected List<ChatModel> models() {
        return List.of(LlavaChatModel.of(MemorisedModel.pipeline()));
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
        return LlavaChatModel.builder()
                .pipeline(MemorisedModel.pipeline())
                .defaultRequestParameters(parameters)
                .build();
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return LlavaChatRequestParameters.builder()
                .maxOutputTokens(maxOutputTokens)
                .build();
    }

    @Override
    protected boolean supportsTools() {
        return false;
    }

    @Override
    protected boolean supportsToolChoiceRequired() {
        return false;
    }

    @Override
    protected boolean supportsModelNameParameter() {
        return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
        return false;
    }
}
