package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerWriter;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.schedule.ChosenToken;
import io.llava4j.generate.schedule.TokenLogprob;
import io.llava4j.text.SentencePieceTokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** The continuation of a text, in one document or in chunks. */
final class CompletionWriter implements AnswerWriter {
    private final AnswerTarget target;
    private final CompletionRequest request;
    private final Logprobs logprobs;
    private final long created;
    private List<ChosenToken> tokens = new ArrayList<>();
    private int offset;
    private @Nullable ResponseStream out;

    CompletionWriter(AnswerTarget target, CompletionRequest request, SentencePieceTokenizer tokenizer) {
        this.target = target;
        this.created = target.now();
        this.request = request;
        this.logprobs = new Logprobs(tokenizer);
    }

    @Override
    public void begin(int promptTokens) {
        if (request.stream() != null) {
            out = target.stream(ResponseStream.EVENTS);
        }
    }

    @Override
    public void piece(RunningAnswer.Piece piece) {
        if (request.answer().topLogprobs() >= 0 && piece.token() != null && logprobs.isText(piece.token())) {
            tokens.add(piece.token());
        }
        if (out != null && !piece.text().isEmpty()) {
            out.data(document(piece.text(), null));
        }
    }

    @Override
    public void finished(Answer answer) {
        if (out == null) {
            ObjectNode body = document(answer.text(), answer.finish().label());
            body.set("usage", Usages.completion(answer.usage()));
            target.send(body);
            return;
        }
        out.data(document("", answer.finish().label()));
        if (request.stream() != null && request.stream().includeUsage()) {
            ObjectNode last = document("", null);
            last.putArray("choices");
            last.set("usage", Usages.completion(answer.usage()));
            out.data(last);
        }
        out.data("[DONE]");
        out.close();
    }

    @Override
    public void failed(ApiException failure) {
        if (out != null) {
            out.data(OpenAiApi.streamFailure(failure, target));
            out.close();
        }
    }

    private ObjectNode document(String text, @Nullable String finish) {
        ObjectNode body = Json.object()
                .put("id", target.id().replace("req_", "cmpl-"))
                .put("object", "text_completion")
                .put("created", created)
                .put("model", request.model());
        ObjectNode choice = body.putArray("choices")
                .addObject()
                .put("text", text)
                .put("index", 0)
                .put("finish_reason", finish);
        choice.set("logprobs", request.answer().topLogprobs() < 0 ? null : logprobs());
        return body;
    }

    /** Of the tokens since the last document, in parallel lists. */
    private ObjectNode logprobs() {
        ObjectNode node = Json.object();
        node.putArray("tokens");
        node.putArray("token_logprobs");
        node.putArray("top_logprobs");
        node.putArray("text_offset");
        for (ChosenToken token : tokens) {
            String text = logprobs.text(token.id());
            node.withArray("tokens").add(text);
            node.withArray("token_logprobs").add(token.logprob());
            ObjectNode top = node.withArray("top_logprobs").addObject();
            for (TokenLogprob each : token.top()) {
                top.put(logprobs.text(each.id()), each.logprob());
            }
            node.withArray("text_offset").add(offset);
            offset += text.length();
        }
        tokens = new ArrayList<>();
        return node;
    }
}
