package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.text.SentencePieceTokenizer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A response as a stream of numbered events. */
final class ResponseEventWriter implements AnswerWriter {
    private final Exchange exchange;
    private final ResponseObject object;
    private final boolean wantsLogprobs;
    private final Logprobs logprobs;
    private final ArrayNode all = Json.array();
    private ArrayNode since = Json.array();
    private @Nullable ResponseStream out;
    private int events;

    ResponseEventWriter(
            Exchange exchange, ResponseObject object, boolean wantsLogprobs, SentencePieceTokenizer tokenizer) {
        this.exchange = exchange;
        this.object = object;
        this.wantsLogprobs = wantsLogprobs;
        this.logprobs = new Logprobs(tokenizer);
    }

    @Override
    public void begin(int promptTokens) {
        out = exchange.stream(ResponseStream.EVENTS);
        send("response.created", with("response", object.inProgress()));
        send("response.in_progress", with("response", object.inProgress()));
        send(
                "response.output_item.added",
                with("item", object.message("in_progress")).put("output_index", 0));
        send("response.content_part.added", inPart(with("part", object.part("", Json.array()))));
    }

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (wantsLogprobs && piece.token() != null && logprobs.isText(piece.token())) {
            ObjectNode token = logprobs.of(piece.token());
            since.add(token);
            all.add(token);
        }
        if (!piece.text().isEmpty()) {
            send("response.output_text.delta", inPart(with("logprobs", since).put("delta", piece.text())));
            since = Json.array();
        }
    }

    @Override
    public void finished(Answer answer) {
        send("response.output_text.done", inPart(with("logprobs", all).put("text", answer.text())));
        send("response.content_part.done", inPart(with("part", object.part(answer.text(), all))));
        send(
                "response.output_item.done",
                with("item", object.message(answer, all)).put("output_index", 0));
        String last = ResponseObject.isIncomplete(answer) ? "response.incomplete" : "response.completed";
        send(last, with("response", object.complete(answer, all)));
        out().close();
    }

    @Override
    public void failed(ApiException failure) {
        send("response.failed", with("response", object.failed(failure)));
        out().close();
    }

    private ResponseStream out() {
        return Objects.requireNonNull(out);
    }

    private static ObjectNode with(String name, tools.jackson.databind.JsonNode value) {
        ObjectNode event = Json.object();
        event.set(name, value);
        return event;
    }

    private ObjectNode inPart(ObjectNode event) {
        return event.put("item_id", object.messageId()).put("output_index", 0).put("content_index", 0);
    }

    private void send(String type, ObjectNode event) {
        out().event(type, event.put("type", type).put("sequence_number", events++));
    }
}
