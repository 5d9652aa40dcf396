package io.llava4j.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LlavaStreamingChatModelTest {
    private static final String QUESTION = "Tell me a long story about animals";

    /** Keeps what it is told. */
    private static final class Told implements StreamingChatResponseHandler {
        private final List<String> pieces = new CopyOnWriteArrayList<>();
        private final CompletableFuture<ChatResponse> end = new CompletableFuture<>();

        @Override
        public void onPartialResponse(String partialResponse) {
            pieces.add(partialResponse);
        }

        @Override
        public void onCompleteResponse(ChatResponse completeResponse) {
            end.complete(completeResponse);
        }

        @Override
        public void onError(Throwable error) {
            end.completeExceptionally(error);
        }

        /** The exception; null if there was none. */
        @Nullable
        Throwable failure() throws Exception {
            return end.handle((response, error) -> error).get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void thePiecesAreTheAnswerThatAChatModelGives() throws Exception {
        Told told = new Told();
        LlavaStreamingChatModel.of(MemorisedModel.pipeline()).chat(QUESTION, told);
        ChatResponse response = told.end.get(30, TimeUnit.SECONDS);
        ChatResponse whole = LlavaChatModel.of(MemorisedModel.pipeline()).chat(UserMessage.from(QUESTION));

        assertThat(String.join("", told.pieces)).isEqualTo(whole.aiMessage().text());
        assertThat(told.pieces).hasSizeGreaterThan(3).noneMatch(String::isEmpty);
        assertThat(response.aiMessage()).isEqualTo(whole.aiMessage());
        assertThat(response.tokenUsage()).isEqualTo(whole.tokenUsage());
    }

    /** An answer that is cut off after a blank ends without it, streamed or not. */
    @Test
    void noAnswerEndsWithABlank() throws Exception {
        LlavaStreamingChatModel model = LlavaStreamingChatModel.of(MemorisedModel.pipeline());
        for (int tokens = 1; tokens < 12; tokens++) {
            Told told = new Told();
            model.chat(
                    ChatRequest.builder()
                            .messages(UserMessage.from(QUESTION))
                            .maxOutputTokens(tokens)
                            .build(),
                    told);
            ChatResponse response = told.end.get(30, TimeUnit.SECONDS);
            assertThat(String.join("", told.pieces))
                    .isEqualTo(response.aiMessage().text());
        }
    }

    @Test
    void aRequestThatCannotBeHonouredIsRefusedAtOnce() {
        LlavaStreamingChatModel model = LlavaStreamingChatModel.of(MemorisedModel.pipeline());
        ChatRequest request = ChatRequest.builder()
                .messages(UserMessage.from(QUESTION))
                .frequencyPenalty(1.0)
                .build();
        assertThatThrownBy(() -> model.chat(request, new Told())).isInstanceOf(UnsupportedFeatureException.class);
    }

    @Test
    void theHandlerIsToldThatTooManyWait() throws Exception {
        Scheduler.Limits limits = new Scheduler.Limits(1, 1, 0, 1 << 20, Duration.ofSeconds(60));
        try (LlavaPipeline narrow = MemorisedModel.open(limits)) {
            LlavaStreamingChatModel model = LlavaStreamingChatModel.of(narrow);
            List<Told> all = IntStream.range(0, 30).mapToObj(i -> new Told()).toList();
            all.forEach(told -> model.chat(QUESTION, told));
            int answered = 0;
            for (Told told : all) {
                Throwable failure = told.failure();
                answered += failure == null ? 1 : 0;
                if (failure != null) {
                    assertThat(failure).isInstanceOf(RateLimitException.class).hasMessageContaining("wait already");
                }
            }
            assertThat(answered).isBetween(1, 29);
        }
    }
}
