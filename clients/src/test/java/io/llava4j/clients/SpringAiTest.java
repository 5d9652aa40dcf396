package io.llava4j.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.util.MimeTypeUtils;

/** Spring AI's client for OpenAI's API. */
class SpringAiTest {
    private static final Prompt PROMPT = new Prompt(List.of(
            new SystemMessage("Be brief."),
            UserMessage.builder()
                    .text("what is it?")
                    .media(Media.builder()
                            .mimeType(MimeTypeUtils.IMAGE_PNG)
                            .data(Base64.getDecoder().decode(Servers.png()))
                            .build())
                    .build()));

    private static OpenAiChatOptions.Builder options(URI server, String key) {
        OpenAiChatOptions.Builder options = OpenAiChatOptions.builder();
        options.baseUrl(server + "/v1");
        options.apiKey(key);
        options.model(Servers.MODEL);
        options.maxCompletionTokens(8);
        options.maxRetries(0);
        return options;
    }

    private static OpenAiChatModel model(OpenAiChatOptions.Builder options) {
        return OpenAiChatModel.builder().options(options.build()).build();
    }

    private static String text(ChatResponse response) {
        return Objects.requireNonNull(
                Objects.requireNonNull(response.getResult()).getOutput().getText());
    }

    @Test
    void aChatAboutAnImageStreamedOrNot() {
        OpenAiChatModel model = model(options(Servers.OPEN, "none"));
        ChatResponse whole = model.call(PROMPT);
        String streamed = model.stream(PROMPT)
                .toStream()
                .filter(chunk -> chunk.getResult() != null
                        && chunk.getResult().getOutput().getText() != null)
                .map(SpringAiTest::text)
                .collect(Collectors.joining());

        assertThat(text(whole)).isNotBlank().isEqualTo(streamed.strip());
        assertThat(whole.getMetadata().getUsage().getPromptTokens()).isGreaterThan(Servers.IMAGE_TOKENS);
    }

    @Test
    void errorsAreTheClientsOwn() {
        OpenAiChatOptions.Builder penalty = options(Servers.OPEN, "none");
        penalty.presencePenalty(1.0);
        assertThatThrownBy(() -> model(penalty).call(PROMPT))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("presence_penalty");
        OpenAiChatOptions.Builder other = options(Servers.OPEN, "none");
        other.model("gpt-5");
        assertThatThrownBy(() -> model(other).call(PROMPT)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> model(options(Servers.LOCKED, "wrong")).call(PROMPT))
                .isInstanceOf(UnauthorizedException.class);
        assertThat(text(model(options(Servers.LOCKED, Servers.KEY)).call(PROMPT)))
                .isNotBlank();
        assertThatThrownBy(() -> model(options(Servers.FULL, "none")).call(PROMPT))
                .isInstanceOf(RateLimitException.class);
    }
}
