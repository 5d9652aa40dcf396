package io.llava4j.app.chat;

import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.StreamingChatModel;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Answers "answer N" word by word, nothing to "silence", and fails at "fail"; keeps what it was asked. */
final class FakeModel implements StreamingChatModel {
    final List<ChatRequest> requests = new ArrayList<>();
    final List<GenerationOptions> options = new ArrayList<>();

    @Override
    public ChatResponse stream(ChatRequest request, GenerationOptions decoding, Predicate<String> onText) {
        requests.add(request);
        options.add(decoding);
        String question = request.turns().getLast().text();
        if (question.endsWith("fail")) {
            throw new DataException("the prompt is too long");
        }
        if (question.endsWith("silence")) {
            return new ChatResponse("", FinishReason.STOP, new Usage(5, 0, 0, 1, 0, 0, 0));
        }
        StringBuilder answer = new StringBuilder();
        for (String piece : List.of("answer", " ", Integer.toString(requests.size()))) {
            answer.append(piece);
            if (!onText.test(piece)) {
                break;
            }
        }
        return new ChatResponse(answer.toString().strip(), FinishReason.STOP, new Usage(5, 0, 0, 3, 0, 0, 0));
    }
}
