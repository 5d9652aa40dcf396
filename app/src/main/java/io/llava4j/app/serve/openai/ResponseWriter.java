package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.text.SentencePieceTokenizer;
import tools.jackson.databind.node.ArrayNode;

/** A response in one document. */
final class ResponseWriter implements AnswerWriter {
    private final AnswerTarget target;
    private final ResponseObject object;
    private final boolean wantsLogprobs;
    private final Logprobs logprobs;
    private final ArrayNode tokens = Json.array();

    ResponseWriter(
            AnswerTarget target, ResponseObject object, boolean wantsLogprobs, SentencePieceTokenizer tokenizer) {
        this.target = target;
        this.object = object;
        this.wantsLogprobs = wantsLogprobs;
        this.logprobs = new Logprobs(tokenizer);
    }

    @Override
    public void begin(int promptTokens) {}

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (wantsLogprobs && piece.token() != null && logprobs.isText(piece.token())) {
            tokens.add(logprobs.of(piece.token()));
        }
    }

    @Override
    public void finished(Answer answer) {
        target.send(object.complete(answer, tokens));
    }

    @Override
    public void failed(ApiException failure) {
        // Nothing is sent before the end.
    }
}
