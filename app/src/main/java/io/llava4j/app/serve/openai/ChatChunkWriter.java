package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.text.SentencePieceTokenizer;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A chat completion in chunks. */
final class ChatChunkWriter implements AnswerWriter {
    private final Exchange exchange;
    private final ChatCompletionRequest request;
    private final Logprobs logprobs;
    private final String id;
    private final long created = Instant.now().getEpochSecond();
    private ArrayNode tokens = Json.array();
    private @Nullable ResponseStream out;

    ChatChunkWriter(Exchange exchange, ChatCompletionRequest request, SentencePieceTokenizer tokenizer) {
        this.exchange = exchange;
        this.request = request;
        this.logprobs = new Logprobs(tokenizer);
        this.id = exchange.id().replace("req_", "chatcmpl-");
    }

    private ResponseStream out() {
        return Objects.requireNonNull(out);
    }

    private boolean includesUsage() {
        return request.stream() != null && request.stream().includeUsage();
    }

    @Override
    public void begin(int promptTokens) {
        out = exchange.stream(ResponseStream.EVENTS);
        send(Json.object().put("role", "assistant").put("content", ""), null);
    }

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (request.answer().topLogprobs() >= 0 && piece.token() != null && logprobs.isText(piece.token())) {
            tokens.add(logprobs.of(piece.token()));
        }
        if (!piece.text().isEmpty()) {
            send(Json.object().put("content", piece.text()), null);
        }
    }

    @Override
    public void finished(Answer answer) {
        send(Json.object(), answer.finish().label());
        if (includesUsage()) {
            ObjectNode last = chunk();
            last.putArray("choices");
            last.set("usage", Usages.completion(answer.usage()));
            out().data(last);
        }
        out().data("[DONE]");
        out().close();
    }

    @Override
    public void failed(ApiException failure) {
        out().data(OpenAiApi.streamFailure(failure, exchange));
        out().close();
    }

    private void send(ObjectNode delta, @Nullable String finish) {
        ObjectNode chunk = chunk();
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", delta);
        if (tokens.isEmpty()) {
            choice.putNull("logprobs");
        } else {
            choice.putObject("logprobs").putNull("refusal").set("content", tokens);
            tokens = Json.array();
        }
        choice.put("finish_reason", finish);
        if (includesUsage()) {
            chunk.putNull("usage");
        }
        out().data(chunk);
    }

    private ObjectNode chunk() {
        return Json.object()
                .put("id", id)
                .put("object", "chat.completion.chunk")
                .put("created", created)
                .put("model", request.model());
    }
}
