package io.llava4j.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.RateLimitException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.ErrorType;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Anthropic's own client for Java. */
class AnthropicJavaTest {
    private static final List<ContentBlockParam> QUESTION = List.of(
            ContentBlockParam.ofImage(Base64ImageSource.builder()
                    .mediaType(Base64ImageSource.MediaType.IMAGE_PNG)
                    .data(Servers.png())
                    .build()),
            ContentBlockParam.ofText("what is it?"));

    private final AnthropicClient client = client(Servers.OPEN, "none");

    private static AnthropicClient client(URI server, String key) {
        return AnthropicOkHttpClient.builder()
                .baseUrl(server.toString())
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    private static MessageCreateParams.Builder message() {
        return MessageCreateParams.builder()
                .model(Servers.MODEL)
                .system("Be brief.")
                .addUserMessageOfContentBlockParams(QUESTION)
                .maxTokens(8);
    }

    private static String text(Message message) {
        return message.content().getFirst().asText().text();
    }

    @Test
    void aMessageAboutAnImageStreamedOrNot() {
        Message whole = client.messages().create(message().build());
        MessageAccumulator streamed = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> events =
                client.messages().createStreaming(message().build())) {
            events.stream().forEach(streamed::accumulate);
        }

        assertThat(text(whole)).isNotBlank();
        assertThat(text(streamed.message()).strip()).isEqualTo(text(whole));
        assertThat(streamed.message().stopReason())
                .isEqualTo(whole.stopReason())
                .isPresent();
        assertThat(streamed.message().usage().outputTokens())
                .isEqualTo(whole.usage().outputTokens())
                .isBetween(1L, 8L);
        assertThat(whole.isValid()).isTrue();
    }

    @Test
    void countedTokensAreThoseThatAreRead() {
        long counted = client.messages()
                .countTokens(MessageCountTokensParams.builder()
                        .model(Servers.MODEL)
                        .system("Be brief.")
                        .addUserMessageOfContentBlockParams(QUESTION)
                        .build())
                .inputTokens();
        Message message = client.messages().create(message().build());

        assertThat(counted)
                .isGreaterThan(Servers.IMAGE_TOKENS)
                .isEqualTo(message.usage().inputTokens()
                        + message.usage().cacheReadInputTokens().orElse(0L));
    }

    @Test
    void aStopSequenceEndsTheAnswer() {
        String stop = text(client.messages().create(message().build())).substring(1, 3);
        Message stopped =
                client.messages().create(message().stopSequences(List.of(stop)).build());

        assertThat(stopped.stopReason()).contains(StopReason.STOP_SEQUENCE);
        assertThat(stopped.stopSequence()).contains(stop);
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(() -> client.messages()
                        .create(message()
                                .putAdditionalBodyProperty("temperature", JsonValue.from(7))
                                .build()))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.type()).contains(ErrorType.INVALID_REQUEST_ERROR))
                .hasMessageContaining("temperature");
        assertThatThrownBy(
                        () -> client.messages().create(message().model("claude").build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("'claude'");
        assertThatThrownBy(() -> client(Servers.LOCKED, "wrong")
                        .messages()
                        .create(message().build()))
                .isInstanceOf(UnauthorizedException.class)
                .hasMessageContaining("the API key is wrong");
        assertThat(client(Servers.LOCKED, Servers.KEY)
                        .messages()
                        .create(message().build())
                        .content())
                .isNotEmpty();
        assertThatThrownBy(() ->
                        client(Servers.FULL, "none").messages().create(message().build()))
                .isInstanceOfSatisfying(
                        RateLimitException.class,
                        e -> assertThat(e.headers().values("retry-after")).hasSize(1));
    }
}
