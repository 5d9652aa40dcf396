package io.llava4j.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.ImageDecoder;
import io.llava4j.text.Turn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LlavaChatModelTest {
    private static final String QUESTION = "Tell me a long story about animals";

    private final LlavaPipeline pipeline = MemorisedModel.pipeline();
    private final LlavaChatModel model =
            LlavaChatModel.builder().pipeline(pipeline).modelName("nano").build();

    private static ImageContent image(String name) {
        return ImageContent.from(Base64.getEncoder().encodeToString(MemorisedModel.image(name)), "image/jpeg");
    }

    private static LlavaChatRequestParameters.Builder parameters() {
        return LlavaChatRequestParameters.builder();
    }

    private String answer(ChatRequestParameters parameters) {
        return model.chat(ChatRequest.builder()
                        .messages(UserMessage.from(QUESTION))
                        .parameters(parameters)
                        .build())
                .aiMessage()
                .text();
    }

    @Test
    void imagesAreReadAndTheirTokensCounted() {
        ChatResponse cat = model.chat(UserMessage.from(TextContent.from("What do you see?"), image("cat.jpg")));
        ChatResponse dice = model.chat(UserMessage.from(TextContent.from("What do you see?"), image("dice.jpg")));

        assertThat(cat.aiMessage().text()).isEqualTo("A cat.");
        assertThat(dice.aiMessage().text()).isEqualTo("Two dice.");
        assertThat(cat.modelName()).isEqualTo("nano");
        ImagePrompt prompt = pipeline.prompt(
                "",
                List.of(Turn.human("<image>\nWhat do you see?")),
                List.of(() -> ImageDecoder.decode(MemorisedModel.image("cat.jpg"), "cat.jpg")));
        assertThat(cat.tokenUsage().inputTokenCount()).isEqualTo(pipeline.promptTokens(prompt));
    }

    @Test
    void decodingIsGreedyUnlessATemperatureIsSet() {
        String greedy = answer(DefaultChatRequestParameters.EMPTY);
        io.llava4j.generate.ChatRequest request =
                new io.llava4j.generate.ChatRequest(List.of(Turn.human(QUESTION)), List.of());

        assertThat(greedy)
                .isEqualTo(pipeline.answer(List.of(request), GenerationOptions.greedy(512))
                        .getFirst());
        assertThat(answer(parameters().temperature(5.0).topK(1).build())).isEqualTo(greedy);
        assertThat(answer(parameters().temperature(5.0).topP(1e-6).build())).isEqualTo(greedy);
        assertThat(answer(
                        parameters().repetitionPenalty(5.0).maxOutputTokens(30).build()))
                .isNotEqualTo(greedy);
    }

    @Test
    void theSeedDecidesWhatIsDrawn() {
        Set<String> answers = new HashSet<>();
        for (long seed = 0; seed < 5; seed++) {
            LlavaChatRequestParameters drawn =
                    parameters().temperature(5.0).maxOutputTokens(10).seed(seed).build();
            answers.add(answer(drawn));
            assertThat(answers).contains(answer(drawn));
        }
        assertThat(answers).hasSizeGreaterThan(1);
    }

    static Stream<Arguments> refusedParameters() {
        return Stream.of(
                Arguments.of(parameters().frequencyPenalty(0.5).build(), "frequencyPenalty"),
                Arguments.of(parameters().presencePenalty(-1.0).build(), "presencePenalty"),
                Arguments.of(parameters().modelName("gpt").build(), "modelName 'gpt'"),
                Arguments.of(new OtherParameters(), "OtherParameters"));
    }

    private static final class OtherParameters extends DefaultChatRequestParameters {
        OtherParameters() {
            super(DefaultChatRequestParameters.builder());
        }
    }

    @ParameterizedTest
    @MethodSource
    void refusedParameters(ChatRequestParameters parameters, String name) {
        assertThatThrownBy(() -> answer(parameters))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name);
    }

    @Test
    void parametersThatAskForNothingAreAccepted() {
        assertThat(answer(parameters()
                        .modelName("nano")
                        .frequencyPenalty(0.0)
                        .presencePenalty(0.0)
                        .build()))
                .isEqualTo(answer(DefaultChatRequestParameters.EMPTY));
    }

    @Test
    void parametersOutOfRangeAreInvalid() {
        assertThatThrownBy(() -> answer(parameters().topP(2.0).build()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("top-p must be above 0 and at most 1, not 2.0");
        assertThatThrownBy(() -> LlavaChatModel.builder()
                        .pipeline(pipeline)
                        .defaultRequestParameters(
                                parameters().repetitionPenalty(0.0).build())
                        .build())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("repetition-penalty");
    }

    static Stream<Arguments> refusedMessages() {
        UserMessage question = UserMessage.from("What?");
        return Stream.of(
                Arguments.of(
                        List.of(UserMessage.from(AudioContent.from("AAAA", "audio/wav"))),
                        UnsupportedFeatureException.class,
                        "messages[0].contents[0] is not supported: content of the type audio"),
                Arguments.of(
                        List.of(UserMessage.from(ImageContent.from("file:///etc/passwd"))),
                        UnsupportedFeatureException.class,
                        "messages[0].contents[0] is not supported: an image by its address"),
                Arguments.of(
                        List.of(UserMessage.from(ImageContent.from("@@@", "image/png"))),
                        InvalidRequestException.class,
                        "the image at messages[0].contents[0] is not valid base64"),
                Arguments.of(
                        List.of(UserMessage.from(ImageContent.from("AAAA", "image/png"))),
                        InvalidRequestException.class,
                        "messages[0].contents[0]"),
                Arguments.of(
                        List.of(question, ToolExecutionResultMessage.from("id", "tool", "result")),
                        UnsupportedFeatureException.class,
                        "messages[1] is not supported: a message of the type TOOL_EXECUTION_RESULT"),
                Arguments.of(
                        List.of(
                                question,
                                AiMessage.from(ToolExecutionRequest.builder()
                                        .name("tool")
                                        .build())),
                        UnsupportedFeatureException.class,
                        "messages[1] is not supported: an answer that is not only text"),
                Arguments.of(
                        List.of(question, SystemMessage.from("Be brief.")),
                        InvalidRequestException.class,
                        "messages[1] is a system message after others"),
                Arguments.of(
                        List.of(question, AiMessage.from("That.")),
                        InvalidRequestException.class,
                        "messages ends with an answer"),
                Arguments.of(
                        List.of(UserMessage.from("What is <image>?")),
                        InvalidRequestException.class,
                        "messages[0].contents[0] contains <image>"),
                Arguments.of(
                        List.of(UserMessage.from("What? ".repeat(200))),
                        InvalidRequestException.class,
                        "shorten the conversation"));
    }

    @ParameterizedTest
    @MethodSource
    void refusedMessages(List<ChatMessage> messages, Class<? extends Exception> type, String message) {
        assertThatThrownBy(() -> model.chat(messages)).isInstanceOf(type).hasMessageContaining(message);
    }

    @Test
    void manyThreadsGetTheAnswersTheyWouldGetAlone() throws Exception {
        List<UserMessage> questions = List.of(
                UserMessage.from(QUESTION),
                UserMessage.from("Say 'Hello World'"),
                UserMessage.from(TextContent.from("What do you see?"), image("cat.jpg")),
                UserMessage.from(TextContent.from("What do you see?"), image("dice.jpg")));
        List<AiMessage> alone = questions.stream()
                .map(question -> model.chat(question).aiMessage())
                .toList();
        List<Future<AiMessage>> together = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 16; i++) {
                UserMessage question = questions.get(i % questions.size());
                together.add(threads.submit(() -> model.chat(question).aiMessage()));
            }
        }
        for (int i = 0; i < together.size(); i++) {
            assertThat(together.get(i).get()).isEqualTo(alone.get(i % alone.size()));
        }
    }

    @Test
    void aFailureOfThePipelineIsOneOfLangChain4j() {
        Scheduler.Limits limits = new Scheduler.Limits(1, 1, 0, 1 << 20, Duration.ofNanos(1));
        try (LlavaPipeline hasty = MemorisedModel.open(limits)) {
            assertThatThrownBy(() -> LlavaChatModel.of(hasty).chat(QUESTION))
                    .isInstanceOf(TimeoutException.class)
                    .isInstanceOf(LangChain4jException.class)
                    .hasMessageStartingWith("the answer was not complete");
        }
    }

    @Test
    void listenersSeeTheAnswer() {
        List<String> heard = new ArrayList<>();
        LlavaChatModel heardModel = LlavaChatModel.builder()
                .pipeline(pipeline)
                .listeners(List.of(new ChatModelListener() {
                    @Override
                    public void onResponse(ChatModelResponseContext context) {
                        heard.add(context.chatResponse().aiMessage().text());
                    }
                }))
                .build();

        assertThat(heard).isEmpty();
        assertThat(heardModel.chat(QUESTION)).isEqualTo(heard.getFirst());
    }

    @Test
    void aModelNeedsAPipeline() {
        assertThatThrownBy(() -> LlavaChatModel.builder().build()).hasMessage("the model has no pipeline; set one");
    }
}
