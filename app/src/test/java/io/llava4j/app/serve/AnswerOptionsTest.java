package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.schedule.SchedulerStats;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What requests may ask for, and what holds for all of them, over HTTP. */
class AnswerOptionsTest extends ServerTest {
    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"cat\",\"dog\"]}},"
            + "\"required\":[\"kind\"],\"additionalProperties\":false}";

    /** A folder for another model. */
    private static Path fresh() throws IOException {
        return Files.createTempDirectory(dir, "other");
    }

    private static String chat(String more) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"what is it?\"}],\"max_tokens\":24" + more + "}";
    }

    private static String text(JsonNode answer) {
        return answer.at("/choices/0/message/content").stringValue();
    }

    /** Texts and choices of the chunks of a stream. */
    private static List<JsonNode> chunks(String more) {
        List<String> events = server.post("/v1/chat/completions", chat(",\"stream\":true" + more))
                .events();
        return events.subList(0, events.size() - 1).stream()
                .map(TestServer.JSON::readTree)
                .toList();
    }

    private static String streamed(String more) {
        StringBuilder text = new StringBuilder();
        chunks(more)
                .forEach(chunk ->
                        text.append(chunk.at("/choices/0/delta/content").asString("")));
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions|{#,'max_tokens':300,'response_format':{'type':'json_schema','json_schema':{'name':'a','strict':true,'schema':%}}}|/choices/0/message/content",
                "/v1/responses|{'input':'what?','max_output_tokens':300,'text':{'format':{'type':'json_schema','name':'a','schema':%}}}|/output/0/content/0/text",
                "/api/chat|{#,'stream':false,'options':{'num_predict':300},'format':%}|/message/content",
                "/api/generate|{'prompt':'what?','stream':false,'options':{'num_predict':300},'format':%}|/response"
            })
    void answersFitASchema(String path, String request, String answer) {
        String body = request.replace("#", "'messages':[{'role':'user','content':'what?'}]")
                .replace('\'', '"')
                .replace("%", SCHEMA);
        TestServer.Reply reply = server.post(path, body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        JsonNode document = TestServer.JSON.readTree(reply.json().at(answer).stringValue());
        assertThat(document.size()).isEqualTo(1);
        assertThat(document.path("kind").stringValue()).isIn("cat", "dog");
    }

    /** The log-probabilities are those of the text's tokens; the greedy choice is the likeliest; a stream has the same ones. */
    @Test
    void logprobs() {
        String more = ",\"logprobs\":true,\"top_logprobs\":3";
        JsonNode answer = server.post("/v1/chat/completions", chat(more)).json();
        JsonNode tokens = answer.at("/choices/0/logprobs/content");
        assertThat(tokens).isNotEmpty();
        StringBuilder text = new StringBuilder();
        for (JsonNode token : tokens) {
            text.append(token.path("token").stringValue());
            assertThat(token.path("logprob").doubleValue()).isNegative();
            JsonNode top = token.path("top_logprobs");
            assertThat(top).hasSize(3);
            assertThat(top.get(0).path("token")).isEqualTo(token.path("token"));
            assertThat(top.get(0).path("logprob")).isEqualTo(token.path("logprob"));
            assertThat(top.get(0).path("logprob").doubleValue())
                    .isGreaterThanOrEqualTo(top.get(1).path("logprob").doubleValue());
            assertThat(new String(bytes(token.path("bytes")), StandardCharsets.UTF_8))
                    .isEqualTo(token.path("token").stringValue());
        }
        assertThat(text.toString().strip()).isEqualTo(text(answer));
        List<JsonNode> streamed = new ArrayList<>();
        chunks(more).forEach(chunk -> chunk.at("/choices/0/logprobs/content").forEach(streamed::add));
        assertThat(streamed).isEqualTo(List.copyOf(tokens.values()));
    }

    private static byte[] bytes(JsonNode numbers) {
        byte[] bytes = new byte[numbers.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) numbers.get(i).intValue();
        }
        return bytes;
    }

    /** Wherever a stop text begins and ends within tokens, a stream shows nothing of it and nothing less than what is before it. */
    @Test
    void stopTextsInStreams() {
        String whole = text(server.post("/v1/chat/completions", chat("")).json());
        assertThat(whole.length()).isGreaterThan(6);
        for (int length = 1; length <= 4; length++) {
            for (int from = 0; from + length <= Math.min(12, whole.length()); from++) {
                String stop = whole.substring(from, from + length);
                String more = ",\"stop\":" + TestServer.JSON.writeValueAsString(stop);
                assertThat(streamed(more).strip())
                        .as("stop text '%s'", stop)
                        .isEqualTo(whole.substring(0, whole.indexOf(stop)).strip());
            }
        }
        assertThat(streamed(",\"stop\":\"never said\"").strip()).isEqualTo(whole);
    }

    private static String images(int... colours) {
        StringBuilder parts = new StringBuilder("{\"type\":\"text\",\"text\":\"which?\"}");
        for (int colour : colours) {
            parts.append(",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,")
                    .append(TestServer.png(colour))
                    .append("\"}}");
        }
        return "{\"max_tokens\":24,\"messages\":[{\"role\":\"user\",\"content\":[" + parts + "]}]}";
    }

    @Test
    void severalImages() {
        JsonNode answer =
                server.post("/v1/chat/completions", images(0xff0000, 0xff)).json();
        assertThat(answer.at("/usage/prompt_tokens_details/image_tokens").intValue())
                .isEqualTo(8);
        JsonNode again =
                server.post("/v1/chat/completions", images(0xff0000, 0xff)).json();
        assertThat(text(again)).isEqualTo(text(answer));
        assertThat(again.at("/usage/prompt_tokens_details/cached_tokens").intValue())
                .isGreaterThan(8);
        TestServer.Reply refused = server.post("/v1/chat/completions", images(1, 2, 3, 4));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.json().at("/error/message").stringValue())
                .isEqualTo("the request has 4 images, more than the limit of 3");
    }

    @Test
    void everyResponseHasAnIdOfItsOwn() {
        Set<String> ids = new HashSet<>();
        List<TestServer.Reply> replies = List.of(
                server.get("/health"),
                server.get("/nothing"),
                server.get("/"),
                server.post("/v1/chat/completions", chat("")),
                server.post("/v1/chat/completions", chat(",\"stream\":true")),
                server.post("/v1/messages", "{"),
                server.post("/api/chat", "{"));
        for (TestServer.Reply reply : replies) {
            String id = reply.header("x-request-id");
            assertThat(id).matches("req_[0-9a-f]{32}").isEqualTo(reply.header("request-id"));
            assertThat(ids.add(id)).isTrue();
        }
        assertThat(replies.get(3).json().at("/id").stringValue())
                .isEqualTo(replies.get(3).header("x-request-id").replace("req_", "chatcmpl-"));
        assertThat(replies.get(5).json().at("/request_id").stringValue())
                .isEqualTo(replies.get(5).header("request-id"));
    }

    @ParameterizedTest
    @CsvSource({"/v1/chat/completions,408", "/v1/messages,504", "/api/chat,408"})
    void anAnswerThatTakesTooLongIsATimeout(String path, int status) throws IOException {
        Scheduler.Limits hurry = new Scheduler.Limits(1, 4, 0, 1 << 20, Duration.ofNanos(1));
        try (TestServer slow = TestServer.start(fresh(), hurry, TestServer.OPEN)) {
            String body = path.equals("/api/chat")
                    ? "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stream\":false}"
                    : chat("");
            TestServer.Reply reply = slow.post(path, body);
            assertThat(reply.status()).as(reply.body()).isEqualTo(status);
            assertThat(reply.body()).contains("error");
            String stream = slow.post(
                            path, body.replace(",\"stream\":false", "").replace("}]", "}],\"stream\":true"))
                    .body();
            assertThat(stream).contains("error").doesNotContain("[DONE]").doesNotContain("message_stop");
            assertThat(slow.model.pipeline().stats().running()).isZero();
        }
    }

    /** A client that leaves in mid-stream: its answer ends long before its last token, and its place is free. */
    @Test
    void aClientThatLeavesFreesItsPlace() throws IOException, InterruptedException {
        int longest = 90_000;
        Scheduler.Limits one = new Scheduler.Limits(1, 4, 0, 1 << 20, Duration.ofSeconds(60));
        try (TestServer alone = TestServer.start(fresh(), 100_000, one)) {
            String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stream\":true,\"temperature\":2,"
                    + "\"seed\":1,\"max_tokens\":" + longest + "}";
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), alone.server.port())) {
                socket.getOutputStream()
                        .write(
                                ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                                + "Content-Length: " + body.length() + "\r\n\r\n" + body)
                                        .getBytes(StandardCharsets.US_ASCII));
                InputStream in = socket.getInputStream();
                assertThat(in.readNBytes(2000)).hasSize(2000); // in mid-stream
            }
            SchedulerStats stats = alone.model.pipeline().stats();
            while (stats.running() > 0) {
                Thread.sleep(5);
                stats = alone.model.pipeline().stats();
            }
            assertThat(stats.finished()).isEqualTo(1);
            assertThat(stats.answerTokens()).isBetween(1L, longest - 1L);
            assertThat(alone.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":2}")
                            .status())
                    .isEqualTo(200);
        }
    }

    private static TestServer.Reply preflight(TestServer of, String origin) {
        return of.send(of.request("/v1/chat/completions")
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type, authorization")
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                .build());
    }

    @Test
    void pagesOfOtherSitesNeedPermission() {
        assertThat(preflight(server, "https://a.example").status()).isEqualTo(403);
        AccessRules some = new AccessRules(ApiKeys.NONE, List.of("https://a.example"), true);
        Scheduler.Limits limits = new Scheduler.Limits(1, 4, 0, 1 << 20, Duration.ofSeconds(60));
        try (TestServer open = TestServer.unloaded(limits, some)) {
            TestServer.Reply allowed = preflight(open, "https://a.example");
            assertThat(allowed.status()).isEqualTo(204);
            assertThat(allowed.header("access-control-allow-origin")).isEqualTo("https://a.example");
            assertThat(allowed.header("access-control-allow-headers")).isEqualTo("content-type, authorization");
            assertThat(allowed.header("access-control-allow-methods")).contains("POST");
            assertThat(allowed.header("vary")).isEqualTo("Origin");
            for (String other : List.of("https://b.example", "null", "https://a.example.evil", "http://a.example")) {
                TestServer.Reply refused = preflight(open, other);
                assertThat(refused.status()).as(other).isEqualTo(403);
                assertThat(refused.header("access-control-allow-origin")).isEmpty();
            }
        }
    }

    /** Addresses are fetched only where the server was told to, and then only public ones. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void imageAddresses(boolean remote) throws IOException {
        Scheduler.Limits limits = new Scheduler.Limits(1, 4, 0, 1 << 20, Duration.ofSeconds(60));
        try (TestServer asked = TestServer.start(fresh(), limits, remote)) {
            for (String host :
                    List.of("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f.1", "2130706433")) {
                TestServer.Reply reply = asked.post(
                        "/v1/chat/completions",
                        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://"
                                + host + ":" + asked.server.port() + "/icon.svg\"}}]}]}");
                assertThat(reply.status()).as(reply.body()).isEqualTo(400);
                String sentence = reply.json().at("/error/message").stringValue();
                if (remote) {
                    assertThat(sentence)
                            .containsAnyOf("is not on the public internet", "is unknown", "must be http or https");
                } else {
                    assertThat(sentence).contains("addresses are not fetched here", "--allow-image-urls");
                }
            }
        }
    }
}
