package io.llava4j.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputContent;
import com.openai.models.responses.ResponseInputImage;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseInputText;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

/** OpenAI's own client for Java. */
class OpenAiJavaTest {
    private final OpenAIClient client = client(Servers.OPEN, "none");

    private static OpenAIClient client(URI server, String key) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(server + "/v1")
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model(Servers.MODEL)
                .addUserMessage("what is in the image?")
                .maxCompletionTokens(8);
    }

    private static ChatCompletionCreateParams.Builder chatWithImage() {
        return ChatCompletionCreateParams.builder()
                .model(Servers.MODEL)
                .addSystemMessage("Be brief.")
                .addUserMessageOfArrayOfContentParts(List.of(
                        ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder()
                                .text("what is it?")
                                .build()),
                        ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                                .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                        .url(Servers.pngUrl())
                                        .build())
                                .build())))
                .maxCompletionTokens(8);
    }

    private static ResponseCreateParams response() {
        EasyInputMessage message = EasyInputMessage.builder()
                .role(EasyInputMessage.Role.USER)
                .contentOfResponseInputMessageContentList(List.of(
                        ResponseInputContent.ofInputText(
                                ResponseInputText.builder().text("what is it?").build()),
                        ResponseInputContent.ofInputImage(ResponseInputImage.builder()
                                .detail(ResponseInputImage.Detail.AUTO)
                                .imageUrl(Servers.pngUrl())
                                .build())))
                .build();
        return ResponseCreateParams.builder()
                .model(Servers.MODEL)
                .instructions("Be brief.")
                .inputOfResponse(List.of(ResponseInputItem.ofEasyInputMessage(message)))
                .maxOutputTokens(8)
                .build();
    }

    private static String text(ChatCompletion completion) {
        return completion.choices().getFirst().message().content().orElseThrow();
    }

    private static String text(Response response) {
        return response.output()
                .getFirst()
                .asMessage()
                .content()
                .getFirst()
                .asOutputText()
                .text();
    }

    @Test
    void aChatAboutAnImageStreamedOrNot() {
        ChatCompletion whole =
                client.chat().completions().create(chatWithImage().build());
        ChatCompletionAccumulator streamed = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks = client.chat()
                .completions()
                .createStreaming(chatWithImage()
                        .streamOptions(ChatCompletionStreamOptions.builder()
                                .includeUsage(true)
                                .build())
                        .build())) {
            chunks.stream().forEach(streamed::accumulate);
        }

        assertThat(text(whole)).isNotBlank();
        assertThat(text(streamed.chatCompletion()).strip()).isEqualTo(text(whole));
        assertThat(whole.usage().orElseThrow().promptTokens()).isGreaterThan(Servers.IMAGE_TOKENS);
        assertThat(streamed.chatCompletion().usage().orElseThrow().completionTokens())
                .isEqualTo(whole.usage().orElseThrow().completionTokens())
                .isBetween(1L, 8L);
        assertThat(whole.choices().getFirst().finishReason())
                .isEqualTo(streamed.chatCompletion().choices().getFirst().finishReason());
        assertThat(whole.isValid()).isTrue();
    }

    /** The answer is an object of this class. */
    @SuppressWarnings("unused")
    static class Thing {
        public Kind kind = Kind.TOOL;
        public boolean big;
    }

    enum Kind {
        ANIMAL,
        TOOL
    }

    @Test
    void anAnswerInTheFormOfAClass() {
        Thing thing = client.chat()
                .completions()
                .create(chat().maxCompletionTokens(300)
                        .responseFormat(Thing.class)
                        .build())
                .choices()
                .getFirst()
                .message()
                .content()
                .orElseThrow();

        assertThat(thing.kind).isIn(Kind.ANIMAL, Kind.TOOL);
    }

    @Test
    void logProbabilities() {
        ChatCompletion.Choice choice = client.chat()
                .completions()
                .create(chat().logprobs(true).topLogprobs(2).build())
                .choices()
                .getFirst();

        assertThat(choice.logprobs().orElseThrow().content().orElseThrow())
                .isNotEmpty()
                .allSatisfy(token -> {
                    assertThat(token.logprob()).isLessThanOrEqualTo(0);
                    assertThat(token.topLogprobs()).hasSize(2);
                });
    }

    @Test
    void aResponseAboutAnImageStreamedOrNot() {
        Response whole = client.responses().create(response());
        ResponseAccumulator streamed = ResponseAccumulator.create();
        try (StreamResponse<ResponseStreamEvent> events = client.responses().createStreaming(response())) {
            events.stream().forEach(streamed::accumulate);
        }

        assertThat(text(whole)).isNotBlank().isEqualTo(text(streamed.response()));
        assertThat(whole.status().orElseThrow()).isIn(ResponseStatus.COMPLETED, ResponseStatus.INCOMPLETE);
        assertThat(streamed.response().status()).isEqualTo(whole.status());
        assertThat(whole.usage().orElseThrow().inputTokens()).isGreaterThan(Servers.IMAGE_TOKENS);
        assertThat(streamed.response().usage().orElseThrow().outputTokens())
                .isEqualTo(whole.usage().orElseThrow().outputTokens());
        assertThat(whole.isValid()).isTrue();
    }

    @Test
    void completionsAndModels() {
        Completion completion = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(Servers.MODEL)
                        .prompt("a cat")
                        .maxTokens(6)
                        .build());

        assertThat(completion.choices().getFirst().text()).isNotBlank();
        assertThat(client.models().list().data())
                .singleElement()
                .satisfies(model -> assertThat(model.id()).isEqualTo(Servers.MODEL));
        assertThat(client.models().retrieve(Servers.MODEL).id()).isEqualTo(Servers.MODEL);
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(chat().presencePenalty(1.0).build()))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("presence_penalty"));
        assertThatThrownBy(() ->
                        client.chat().completions().create(chat().model("gpt-5").build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("'gpt-5'");
        assertThatThrownBy(() -> client(Servers.LOCKED, "wrong").models().list())
                .isInstanceOf(UnauthorizedException.class)
                .hasMessageContaining("the API key is wrong");
        assertThat(client(Servers.LOCKED, Servers.KEY).models().list().data()).hasSize(1);
        assertThatThrownBy(() -> client(Servers.FULL, "none").responses().create(response()))
                .isInstanceOfSatisfying(
                        RateLimitException.class,
                        e -> assertThat(e.headers().values("retry-after")).hasSize(1));
    }
}
