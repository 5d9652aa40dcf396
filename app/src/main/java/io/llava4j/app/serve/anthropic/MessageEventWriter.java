package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A message as a stream of events. The first one tells the tokens of the prompt; how many of them came from the cache is known
 * at the end, so the last one tells them again, apart.
 */
final class MessageEventWriter implements AnswerWriter {
    private final Exchange exchange;
    private final MessageRequest request;
    private @Nullable ResponseStream out;

    MessageEventWriter(Exchange exchange, MessageRequest request) {
        this.exchange = exchange;
        this.request = request;
    }

    @Override
    public void begin(int promptTokens) {
        out = exchange.stream(ResponseStream.EVENTS);
        ObjectNode message = Messages.message(exchange, request);
        message.putObject("usage").put("input_tokens", promptTokens).put("output_tokens", 0);
        ObjectNode start = Json.object();
        start.set("message", message);
        send("message_start", start);
        ObjectNode block = Json.object().put("index", 0);
        block.putObject("content_block").put("type", "text").put("text", "");
        send("content_block_start", block);
    }

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (!piece.text().isEmpty()) {
            ObjectNode event = Json.object().put("index", 0);
            event.putObject("delta").put("type", "text_delta").put("text", piece.text());
            send("content_block_delta", event);
        }
    }

    @Override
    public void finished(Answer answer) {
        send("content_block_stop", Json.object().put("index", 0));
        ObjectNode event = Json.object();
        Messages.putReason(event.putObject("delta"), answer);
        event.set("usage", Messages.usage(answer.usage()));
        send("message_delta", event);
        send("message_stop", Json.object());
        out().close();
    }

    @Override
    public void failed(ApiException failure) {
        out().event("error", AnthropicErrors.INSTANCE.body(failure, exchange.id()));
        out().close();
    }

    private ResponseStream out() {
        return Objects.requireNonNull(out);
    }

    private void send(String type, ObjectNode event) {
        out().event(type, event.put("type", type));
    }
}
