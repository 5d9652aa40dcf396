package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Whatever a client sends, it is told in one sentence, in the form of its API, what is wrong, and the server goes on. */
class MalformedRequestsTest extends ServerTest {
    private static final int REQUESTS = 1100;

    @Test
    void eachGetsOneSentence() {
        Map<String, JsonNode> before = goodAnswers();
        MalformedRequests requests = new MalformedRequests(1);
        MalformedRequests.Kind[] kinds = MalformedRequests.Kind.values();
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            MalformedRequests.Request request = requests.next(kinds[i % kinds.length]);
            TestServer.Reply reply = send(request);
            String problem = problem(request.path(), reply);
            if (problem != null) {
                wrong.add(problem + ": " + reply.status() + " " + reply.body() + " to " + request);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(goodAnswers()).isEqualTo(before);
    }

    private static TestServer.Reply send(MalformedRequests.Request request) {
        HttpRequest.Builder builder = server.request(request.path())
                .header("Content-Type", request.type())
                .method(request.method(), BodyPublishers.ofByteArray(request.body()));
        request.headers().forEach(builder::header);
        return server.send(builder.build());
    }

    /** The answers to a good request on every path, without what names the request or the time. */
    private static Map<String, JsonNode> goodAnswers() {
        Map<String, JsonNode> answers = new LinkedHashMap<>();
        MalformedRequests.GOOD.forEach((path, body) -> {
            TestServer.Reply reply = server.post(path, body);
            assertThat(reply.status()).as(path + " " + reply.body()).isEqualTo(200);
            JsonNode json = reply.json();
            List<String> kept =
                    List.of("choices", "content", "message", "response", "input_tokens", "tokens", "text", "details");
            ObjectNode answer = (ObjectNode) json;
            List.copyOf(answer.propertyNames()).stream()
                    .filter(name -> !kept.contains(name))
                    .forEach(answer::remove);
            answers.put(path, answer);
        });
        return answers;
    }

    /** What is wrong with the refusal; null if nothing is. */
    private static @Nullable String problem(String path, TestServer.Reply reply) {
        if (reply.status() / 100 != 4) {
            return "no 4xx";
        }
        if (reply.header("x-request-id").isEmpty()) {
            return "no id";
        }
        JsonNode body = reply.json();
        String shape = shape(path, reply, body);
        if (shape != null) {
            return shape;
        }
        String sentence = body.path("error").isString()
                ? body.path("error").stringValue()
                : body.at("/error/message").asString("");
        boolean isSentence = !sentence.isBlank()
                && sentence.length() <= 500
                && sentence.chars().noneMatch(Character::isISOControl)
                && !sentence.contains("Exception")
                && !sentence.contains("`") // the parser's own names
                && !sentence.contains("Source:");
        return isSentence ? null : "no sentence";
    }

    private static @Nullable String shape(String path, TestServer.Reply reply, JsonNode body) {
        if (path.startsWith("/api/")) {
            return body.size() == 1 && body.path("error").isString() ? null : "not Ollama's form";
        }
        if (path.startsWith("/v1/messages")) {
            boolean isForm = body.path("type").asString("").equals("error")
                    && body.at("/error/type").asString("").endsWith("_error")
                    && body.path("request_id").asString("").equals(reply.header("request-id"));
            return isForm || body.at("/error/type").asString("").equals("request_too_large")
                    ? null
                    : "not Anthropic's form";
        }
        JsonNode error = body.path("error");
        return error.path("type").isString()
                        && error.has("param")
                        && error.path("code").isString()
                ? null
                : "not OpenAI's form";
    }

    /** Repeated, because a response that a reset connection swallows is rare. */
    @RepeatedTest(20)
    void bodiesAreBounded() {
        int length = Math.toIntExact(new ServerOptions(
                                InetAddress.getLoopbackAddress(), 0, TestServer.OPEN, TestServer.IMAGES, Duration.ZERO)
                        .maxBody()
                + 1);
        TestServer.Reply reply = server.post("/v1/messages", " ".repeat(length));
        assertThat(reply.status()).isEqualTo(413);
        assertThat(reply.json().at("/error/type").stringValue()).isEqualTo("request_too_large");
        String large = "A".repeat(TestServer.IMAGES.maxBytes() / 3 * 4 + 100);
        TestServer.Reply image = server.post("/api/generate", "{\"prompt\":\"a\",\"images\":[\"" + large + "\"]}");
        assertThat(image.status()).isEqualTo(413);
        assertThat(image.json().path("error").stringValue()).contains("images[0]", "limit of 1048576 bytes");
    }

    @Test
    void whatIsNoJsonIsRefused() {
        TestServer.Reply reply = server.send(server.request("/v1/chat/completions")
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString("{}"))
                .build());
        assertThat(reply.status()).isEqualTo(415);
        assertThat(server.get("/v1/chat/completions").status()).isEqualTo(405);
        assertThat(server.get("/v1/nothing").status()).isEqualTo(404);
        assertThat(server.get("/api/nothing").json().path("error").stringValue())
                .contains("no such path");
    }
}
