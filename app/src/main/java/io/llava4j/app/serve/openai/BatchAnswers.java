package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.http.ResponseStream;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.app.serve.request.AnswerLoop;
import io.llava4j.app.serve.request.ServedModel;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Answers the requests of OpenAI's batch files, as the paths of {@link OpenAiApi} do for clients. */
public final class BatchAnswers {
    /** The paths that a request of a batch may name. */
    public static final List<String> PATHS = List.of("/v1/chat/completions", "/v1/completions", "/v1/responses");

    private final ServedModel model;

    /** @param model answers */
    public BatchAnswers(ServedModel model) {
        this.model = model;
    }

    /**
     * An answer.
     *
     * @param body of the response
     * @param answer that it is about
     */
    public record Answered(JsonNode body, Answer answer) {}

    /**
     * Answers a request. The body bears no time of its own and no count of cached tokens, so that equal requests have equal answers.
     *
     * @param path one of {@link #PATHS}
     * @param id begins with {@code req_}
     * @param seed of requests that name none
     * @throws ApiException if the request is refused
     */
    public Answered answer(String path, ObjectNode request, String id, long seed) {
        JsonFields fields = new JsonFields(
                "", request.has("seed") ? request : request.deepCopy().put("seed", seed));
        if (fields.flag("stream", false)) {
            throw fields.invalid("stream", "must be false in a batch");
        }
        Collected target = new Collected(id);
        Answer answer = switch (path) {
            case "/v1/chat/completions" -> {
                ChatCompletionRequest chat = ChatCompletionRequest.read(fields, model);
                yield AnswerLoop.run(
                        model,
                        chat.answer(),
                        new ChatCompletionWriter(target, chat, model.pipeline().tokenizer()));
            }
            case "/v1/completions" -> {
                CompletionRequest completion = CompletionRequest.read(fields, model);
                yield AnswerLoop.run(
                        model,
                        completion.answer(),
                        new CompletionWriter(
                                target, completion, model.pipeline().tokenizer()));
            }
            case "/v1/responses" -> {
                ResponseRequest response = ResponseRequest.read(fields, model);
                yield AnswerLoop.run(
                        model,
                        response.answer(),
                        new ResponseWriter(
                                target,
                                new ResponseObject(target, response),
                                response.answer().topLogprobs() >= 0,
                                model.pipeline().tokenizer()));
            }
            default -> throw new IllegalArgumentException(path + " is not a path of a batch");
        };
        return new Answered(target.body(), answer);
    }

    /** Keeps the answer. */
    private static final class Collected implements AnswerTarget {
        private final String id;
        private @Nullable JsonNode body;

        Collected(String id) {
            this.id = id;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public long now() {
            return 0;
        }

        @Override
        public void send(JsonNode whole) {
            body = whole;
        }

        @Override
        public ResponseStream stream(String type) {
            throw new IllegalStateException("an answer of a batch is whole");
        }

        JsonNode body() {
            if (body == null) {
                throw new IllegalStateException("there is no answer");
            }
            return body;
        }
    }
}
