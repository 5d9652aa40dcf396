package io.llava4j.app.serve.ollama;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.schedule.Usage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** An answer in one document or in lines. */
final class OllamaWriter implements AnswerWriter {
    private final Exchange exchange;
    private final OllamaRequest request;
    private final boolean isChat;
    private @Nullable ResponseStream out;

    /** @param isChat whether the text stands in a message */
    OllamaWriter(Exchange exchange, OllamaRequest request, boolean isChat) {
        this.exchange = exchange;
        this.request = request;
        this.isChat = isChat;
    }

    @Override
    public void begin(int promptTokens) {
        if (request.stream()) {
            out = exchange.stream(ResponseStream.LINES);
        }
    }

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (out != null && !piece.text().isEmpty()) {
            out.line(document(piece.text()).put("done", false));
        }
    }

    @Override
    public void finished(Answer answer) {
        ObjectNode last = document(out == null ? answer.text() : "")
                .put("done", true)
                .put("done_reason", answer.finish().label());
        Usage usage = answer.usage();
        last.put("total_duration", nanos(usage.seconds()))
                .put("load_duration", 0)
                .put("prompt_eval_count", usage.promptTokens())
                .put("prompt_eval_duration", nanos(usage.firstTokenSeconds() - usage.queueSeconds()))
                .put("eval_count", usage.answerTokens())
                .put("eval_duration", nanos(usage.seconds() - usage.firstTokenSeconds()));
        if (out == null) {
            exchange.send(last);
        } else {
            out.line(last);
            out.close();
        }
    }

    @Override
    public void failed(ApiException failure) {
        if (out != null) {
            out.line(OllamaErrors.INSTANCE.body(failure, exchange.id()));
            out.close();
        }
    }

    /** The answer to a request without a question. */
    void loaded() {
        exchange.send(document("").put("done", true).put("done_reason", "load"));
    }

    private static long nanos(double seconds) {
        return Math.max(0, (long) (seconds * 1e9));
    }

    private ObjectNode document(String text) {
        ObjectNode document = Json.object()
                .put("model", request.model())
                .put("created_at", Instant.now().toString());
        if (isChat) {
            document.putObject("message").put("role", "assistant").put("content", text);
        } else {
            document.put("response", text);
        }
        return document;
    }
}
