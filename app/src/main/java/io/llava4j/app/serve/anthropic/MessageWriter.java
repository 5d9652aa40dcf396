package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import tools.jackson.databind.node.ObjectNode;

/** A message in one document. */
final class MessageWriter implements AnswerWriter {
    private final Exchange exchange;
    private final MessageRequest request;

    MessageWriter(Exchange exchange, MessageRequest request) {
        this.exchange = exchange;
        this.request = request;
    }

    @Override
    public void begin(int promptTokens) {}

    @Override
    public void piece(RunningAnswer.Piece piece) {}

    @Override
    public void finished(Answer answer) {
        ObjectNode message = Messages.message(exchange, request);
        message.withArray("content").addObject().put("type", "text").put("text", answer.text());
        Messages.putReason(message, answer);
        message.set("usage", Messages.usage(answer.usage()));
        exchange.send(message);
    }

    @Override
    public void failed(ApiException failure) {
        // Nothing is sent before the end.
    }
}
