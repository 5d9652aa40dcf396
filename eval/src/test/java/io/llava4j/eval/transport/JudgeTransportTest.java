package io.llava4j.eval.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpServer;
import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.judge.JudgeRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against a server of this process. */
class JudgeTransportTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    Path folder;

    private record Canned(int status, String body, @Nullable String retryAfter) {}

    private final Deque<Canned> replies = new ArrayDeque<>();
    private final List<JsonNode> bodies = new ArrayList<>();
    private final List<String> keys = new ArrayList<>();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            bodies.add(JSON.readTree(exchange.getRequestBody().readAllBytes()));
            keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            Canned canned = replies.isEmpty() ? new Canned(500, "empty", null) : replies.removeFirst();
            if (canned.retryAfter() != null) {
                exchange.getResponseHeaders().add("Retry-After", canned.retryAfter());
            }
            byte[] body = canned.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(canned.status(), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void sendsTheRequestAndReadsTheReply() {
        say("8 9\nfine é");
        assertThat(judge(0, 0, 0).apply(request("1", "Which? “é”"))).isEqualTo("8 9\nfine é");
        assertThat(keys).containsExactly("Bearer secret");
        assertThat(bodies).containsExactly(JSON.readTree("""
                                {"model":"gpt-x","messages":[{"role":"system","content":"Be fair."},
                                {"role":"user","content":"Which? “é”"}],"temperature":0.2,"max_tokens":1024}"""));
    }

    @Test
    void triesAgainAfterLimitsAndServerErrors() {
        replies.add(new Canned(429, "slow down", "0"));
        replies.add(new Canned(503, "busy", null));
        say("7 7");
        OpenAiJudge judge = judge(2, 0, 0);
        assertThat(judge.apply(request("1", "a"))).isEqualTo("7 7");
        assertThat(judge.requests()).isEqualTo(3);
        assertThat(judge.tokens()).isEqualTo(20);
    }

    @Test
    void givesUpAfterTheLastRetryNamingTheLastFailure() {
        replies.add(new Canned(503, "first", null));
        replies.add(new Canned(503, "second\nline", null));
        assertThatThrownBy(() -> judge(1, 0, 0).apply(request("q7", "a")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("question q7 in 2 tries (last: status 503: second line)")
                .hasMessageNotContaining("secret");
    }

    @Test
    void doesNotRepeatWhatIsRefused() {
        replies.add(new Canned(401, "{\"error\":\"bad key\"}", null));
        OpenAiJudge judge = judge(5, 0, 0);
        assertThatThrownBy(() -> judge.apply(request("1", "a")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("status 401")
                .hasMessageContaining("check the key in the environment")
                .hasMessageNotContaining("secret");
        assertThat(judge.requests()).isEqualTo(1);
    }

    @Test
    void refusesRepliesThatAreNoChatCompletion() {
        replies.add(new Canned(200, "<html>", null));
        assertThatThrownBy(() -> judge(3, 0, 0).apply(request("1", "a"))).hasMessageContaining("not JSON");
        replies.add(new Canned(200, "{\"choices\":[]}", null));
        assertThatThrownBy(() -> judge(3, 0, 0).apply(request("1", "a"))).hasMessageContaining("no choices[0]");
        assertThatThrownBy(() -> new OpenAiJudge.Settings(
                        URI.create("file:///etc"), "m", null, 0, Duration.ZERO, Duration.ofSeconds(1), 0, 0))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void stopsWhenTheBudgetIsSpentAndKeepsWhatItPaidFor() throws IOException {
        for (int i = 0; i < 5; i++) {
            say("reply " + i);
        }
        Path cache = folder.resolve("judge/cache.jsonl");
        CachedJudge first = new CachedJudge(cache, "pope", "gpt-x", judge(0, 2, 0));
        assertThat(first.apply(request("1", "a"))).isEqualTo("reply 0");
        assertThat(first.apply(request("2", "a"))).isEqualTo("reply 1");
        assertThat(first.apply(request("1", "a"))).isEqualTo("reply 0");
        assertThatThrownBy(() -> first.apply(request("3", "a")))
                .hasMessageContaining("budget is spent before question 3 (2 requests, 40 tokens)");

        Files.writeString(cache, "{\"key\": \"torn", StandardOpenOption.APPEND);
        CachedJudge again = new CachedJudge(cache, "pope", "gpt-x", judge(0, 0, 30));
        assertThat(again.apply(request("1", "a"))).isEqualTo("reply 0");
        assertThat(again.apply(request("2", "a"))).isEqualTo("reply 1");
        assertThat(again.apply(request("2", "b"))).isEqualTo("reply 2");
        assertThat(again.apply(request("3", "a"))).isEqualTo("reply 3");
        assertThatThrownBy(() -> again.apply(request("4", "a"))).hasMessageContaining("budget");
        assertThat(new CachedJudge(cache, "pope", "other", null).apply(request("1", "a")))
                .as("another model's replies do not count")
                .isEqualTo("0");
    }

    @Test
    void worksThroughFiles() throws IOException {
        Path cache = folder.resolve("cache.jsonl");
        CachedJudge offline = new CachedJudge(cache, "pope", null, null);
        offline.apply(request("1", "a"));
        offline.apply(request("2", "b"));
        assertThat(offline.pending()).isEqualTo(2);
        Path requests = folder.resolve("requests.jsonl");
        offline.writePending(requests);
        List<String> lines = Files.readAllLines(requests);
        assertThat(lines).hasSize(2);
        JsonNode line = JSON.readTree(lines.getFirst());
        assertThat(line.path("custom_id").stringValue()).isEqualTo("pope/1");
        assertThat(line.path("body").path("model").stringValue()).isEqualTo("gpt-4");

        Path given = folder.resolve("replies.jsonl");
        Files.writeString(given, """
                {"id": "2", "reply": "8 8"}
                {"custom_id": "pope/1", "response": {"body": {"choices": [{"message": {"content": "5 6"}}]}}}
                """);
        assertThat(offline.readReplies(given)).isEqualTo(2);
        CachedJudge later = new CachedJudge(cache, "pope", null, null);
        assertThat(later.apply(request("1", "a"))).isEqualTo("5 6");
        assertThat(later.apply(request("2", "b"))).isEqualTo("8 8");
        assertThat(later.pending()).isZero();
    }

    @Test
    void localJudgeComparesWords() {
        assertThat(LocalJudge.overlap("The red cat.", "a RED cat")).isEqualTo(1);
        assertThat(LocalJudge.overlap("red cat", "blue cat")).isCloseTo(0.5, within(1e-12));
        assertThat(LocalJudge.overlap("", "cat")).isZero();
        assertThat(LocalJudge.parts("a red cat and 2 dogs", "cat <AND> 2 dogs<OR>two dogs"))
                .isEqualTo(1);
        assertThat(LocalJudge.parts("a red cat", "cat<AND>2 dogs")).isEqualTo(0.5);
        assertThat(LocalJudge.parts("a category", "cat")).isZero();
        String mmVet = "prompt | x | y | 0.5\nWhat is | here? | cat <AND> dog | a dog,\nI think | ";
        assertThat(new LocalJudge().apply(request("v1_0", mmVet))).isEqualTo("0.5");
        String pair = """
                [Context]
                a red cat

                [Question]
                What?

                [Assistant 1]
                red cat

                [End of Assistant 1]

                [Assistant 2]
                dog

                [End of Assistant 2]

                [System]
                Judge.

                """;
        assertThat(new LocalJudge().apply(request("1", pair))).isEqualTo("10.0 1.0\nlocal-word-overlap");
    }

    private void say(String reply) {
        replies.add(new Canned(
                200,
                JSON.writeValueAsString(Map.of(
                        "choices",
                        List.of(Map.of("message", Map.of("content", reply))),
                        "usage",
                        Map.of("total_tokens", 20))),
                null));
    }

    private OpenAiJudge judge(int retries, long mostRequests, long mostTokens) {
        URI url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1/");
        return new OpenAiJudge(new OpenAiJudge.Settings(
                url,
                "gpt-x",
                "secret",
                retries,
                Duration.ofMillis(1),
                Duration.ofSeconds(20),
                mostRequests,
                mostTokens));
    }

    private static JudgeRequest request(String id, String text) {
        return new JudgeRequest(
                id,
                "gpt-4",
                List.of(new JudgeRequest.Message("system", "Be fair."), new JudgeRequest.Message("user", text)),
                0.2,
                1024);
    }
}
