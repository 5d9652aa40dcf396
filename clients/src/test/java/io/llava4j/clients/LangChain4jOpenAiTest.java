package io.llava4j.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** LangChain4j's client for OpenAI's API. */
class LangChain4jOpenAiTest {
    private static final ChatRequest REQUEST = ChatRequest.builder()
            .messages(
                    SystemMessage.from("Be brief."),
                    UserMessage.from(TextContent.from("what is it?"), ImageContent.from(Servers.png(), "image/png")))
            .build();

    private static OpenAiChatModel.OpenAiChatModelBuilder model(URI server, String key) {
        return OpenAiChatModel.builder()
                .baseUrl(server + "/v1")
                .apiKey(key)
                .modelName(Servers.MODEL)
                .maxCompletionTokens(8)
                .maxRetries(0);
    }

    @Test
    void aChatAboutAnImageStreamedOrNot() throws Exception {
        ChatResponse whole = model(Servers.OPEN, "none").build().chat(REQUEST);
        CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
        StringBuffer pieces = new StringBuffer();
        OpenAiStreamingChatModel.builder()
                .baseUrl(Servers.OPEN + "/v1")
                .apiKey("none")
                .modelName(Servers.MODEL)
                .maxCompletionTokens(8)
                .build()
                .chat(REQUEST, new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String partialResponse) {
                        pieces.append(partialResponse);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse completeResponse) {
                        streamed.complete(completeResponse);
                    }

                    @Override
                    public void onError(Throwable error) {
                        streamed.completeExceptionally(error);
                    }
                });
        ChatResponse response = streamed.get(30, TimeUnit.SECONDS);

        assertThat(whole.aiMessage().text())
                .isNotBlank()
                .isEqualTo(pieces.toString().strip());
        assertThat(response.tokenUsage().totalTokenCount())
                .isEqualTo(whole.tokenUsage().totalTokenCount())
                .isGreaterThan(Servers.IMAGE_TOKENS);
        assertThat(whole.finishReason())
                .isIn(FinishReason.STOP, FinishReason.LENGTH)
                .isEqualTo(response.finishReason());
    }

    @Test
    void anAnswerInJson() {
        ChatResponse response = model(Servers.OPEN, "none")
                .maxCompletionTokens(40)
                .responseFormat(ResponseFormat.JSON)
                .build()
                .chat(REQUEST);

        assertThat(response.aiMessage().text()).startsWith("{");
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(() -> model(Servers.OPEN, "none")
                        .frequencyPenalty(1.0)
                        .build()
                        .chat(REQUEST))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("frequency_penalty");
        assertThatThrownBy(() ->
                        model(Servers.OPEN, "none").modelName("gpt-5").build().chat(REQUEST))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("'gpt-5'");
        assertThatThrownBy(() -> model(Servers.LOCKED, "wrong").build().chat(REQUEST))
                .isInstanceOf(AuthenticationException.class);
        assertThat(model(Servers.LOCKED, Servers.KEY)
                        .build()
                        .chat(REQUEST)
                        .aiMessage()
                        .text())
                .isNotBlank();
        assertThatThrownBy(() -> model(Servers.FULL, "none").build().chat(REQUEST))
                .isInstanceOf(RateLimitException.class);
    }
}
