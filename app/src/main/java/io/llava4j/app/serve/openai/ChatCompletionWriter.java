package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.text.SentencePieceTokenizer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A chat completion in one document. */
final class ChatCompletionWriter implements AnswerWriter {
    private final AnswerTarget target;
    private final ChatCompletionRequest request;
    private final Logprobs logprobs;
    private final ArrayNode tokens = Json.array();

    ChatCompletionWriter(AnswerTarget target, ChatCompletionRequest request, SentencePieceTokenizer tokenizer) {
        this.target = target;
        this.request = request;
        this.logprobs = new Logprobs(tokenizer);
    }

    @Override
    public void begin(int promptTokens) {}

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (request.answer().topLogprobs() >= 0 && piece.token() != null && logprobs.isText(piece.token())) {
            tokens.add(logprobs.of(piece.token()));
        }
    }

    @Override
    public void finished(Answer answer) {
        ObjectNode body = Json.object()
                .put("id", target.id().replace("req_", "chatcmpl-"))
                .put("object", "chat.completion")
                .put("created", target.now())
                .put("model", request.model());
        ObjectNode choice = body.putArray("choices").addObject().put("index", 0);
        choice.putObject("message")
                .put("role", "assistant")
                .put("content", answer.text())
                .putNull("refusal");
        if (request.answer().topLogprobs() >= 0) {
            choice.putObject("logprobs").putNull("refusal").set("content", tokens);
        } else {
            choice.putNull("logprobs");
        }
        choice.put("finish_reason", answer.finish().label());
        body.set("usage", Usages.completion(answer.usage()));
        target.send(body);
    }

    @Override
    public void failed(ApiException failure) {
        // Nothing is sent before the end.
    }
}
