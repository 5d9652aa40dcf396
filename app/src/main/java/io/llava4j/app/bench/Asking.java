package io.llava4j.app.bench;

import io.llava4j.LlavaException;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Who is asked: the model of this process, or a server. */
interface Asking extends AutoCloseable {
    /**
     * When the tokens of answers came.
     *
     * @param firstToken seconds from each question to the first token of its answer
     * @param betweenTokens seconds between tokens
     * @param tokens number of tokens
     */
    record Times(List<Double> firstToken, List<Double> betweenTokens, int tokens) {
        static Times all(List<Times> parts) {
            return new Times(
                    parts.stream().flatMap(part -> part.firstToken.stream()).toList(),
                    parts.stream().flatMap(part -> part.betweenTokens.stream()).toList(),
                    parts.stream().mapToInt(Times::tokens).sum());
        }
    }

    /** Asks a question, about an image or none, and reads the whole answer. */
    Times ask(String question, @Nullable RgbImage image);

    @Override
    void close();

    /** Asks a pipeline of this process. */
    static Asking pipeline(LlavaPipeline pipeline, int newTokens) {
        return new Asking() {
            @Override
            public Times ask(String question, @Nullable RgbImage image) {
                ChatRequest request = new ChatRequest(
                        List.of(Turn.human(image == null ? question : Turn.IMAGE_PLACEHOLDER + "\n" + question)),
                        image == null ? List.of() : List.of(image));
                Clock clock = new Clock();
                try (RunningAnswer answer =
                        pipeline.start(request, AnswerOptions.of(GenerationOptions.greedy(newTokens)))) {
                    for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                        if (piece.token() != null) {
                            clock.token();
                        }
                    }
                }
                return clock.times();
            }

            @Override
            public void close() {
                pipeline.close();
            }
        };
    }

    /**
     * Asks a server that speaks OpenAI's API; each piece of a stream counts as a token. Every question opens a connection of its
     * own: a server may close a connection between two questions.
     *
     * @param server its address without {@code /v1}
     */
    static Asking server(URI server, int newTokens) {
        URI address = URI.create(server.toString().replaceAll("/+$", "") + "/v1/chat/completions");
        return new Asking() {
            @Override
            public Times ask(String question, @Nullable RgbImage image) {
                List<Map<String, Object>> parts = new ArrayList<>();
                if (image != null) {
                    parts.add(Map.of("type", "image_url", "image_url", Map.of("url", NoiseImage.address(image))));
                }
                parts.add(Map.of("type", "text", "text", question));
                String body = JsonMapper.shared()
                        .writeValueAsString(Map.of(
                                "messages",
                                List.of(Map.of("role", "user", "content", parts)),
                                "max_tokens",
                                newTokens,
                                "temperature",
                                0,
                                "stream",
                                true));
                HttpRequest request = HttpRequest.newBuilder(address)
                        .timeout(Duration.ofHours(1))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                Clock clock = new Clock();
                try (HttpClient http = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .build()) {
                    HttpResponse<Stream<String>> response = http.send(request, HttpResponse.BodyHandlers.ofLines());
                    try (Stream<String> lines = response.body()) {
                        if (response.statusCode() != 200) {
                            throw new LlavaException(address + " answers with status " + response.statusCode() + ": "
                                    + String.join(" ", lines.limit(3).toList()));
                        }
                        for (Iterator<String> i = lines.iterator(); i.hasNext(); ) {
                            if (isToken(i.next())) {
                                clock.token();
                            }
                        }
                    }
                } catch (IOException e) {
                    throw new LlavaException(address + " cannot be asked: " + e.getMessage(), e);
                } catch (InterruptedException e) {
                    throw new IllegalStateException("interrupted while " + address + " answers", e);
                }
                return clock.times();
            }

            @Override
            public void close() {}
        };
    }

    private static boolean isToken(String line) {
        if (!line.startsWith("data:") || line.endsWith("[DONE]")) {
            return false;
        }
        JsonNode content = JsonMapper.shared()
                .readTree(line.substring("data:".length()))
                .path("choices")
                .path(0)
                .path("delta")
                .path("content");
        return content.isString() && !content.asString().isEmpty();
    }

    /** Takes the time of each token of an answer. */
    final class Clock {
        private final List<Double> first = new ArrayList<>();
        private final List<Double> between = new ArrayList<>();
        private int tokens;
        private long last = System.nanoTime();

        private void token() {
            long now = System.nanoTime();
            (tokens++ == 0 ? first : between).add((now - last) / 1e9);
            last = now;
        }

        private Times times() {
            return new Times(first, between, tokens);
        }
    }
}
