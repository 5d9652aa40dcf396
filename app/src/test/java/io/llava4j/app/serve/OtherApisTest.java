package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.checkpoint.ModelFiles;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class OtherApisTest extends ServerTest {
    private static final Scheduler.Limits LIMITS = new Scheduler.Limits(2, 8, 0, 1 << 20, Duration.ofSeconds(60));

    private static String message(String more) {
        return "{\"model\":\"tiny\",\"system\":\"Be brief.\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
                + "\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"" + TestServer.png(0xff)
                + "\"}},{\"type\":\"text\",\"text\":\"what is it?\"}]}]" + more + "}";
    }

    @Test
    void anthropicMessage() {
        JsonNode whole =
                server.post("/v1/messages", message(",\"max_tokens\":8")).json();
        assertThat(whole.at("/type").stringValue()).isEqualTo("message");
        assertThat(whole.at("/stop_reason").stringValue()).isIn("end_turn", "max_tokens");
        String text = whole.at("/content/0/text").stringValue();
        List<String> events = server.post("/v1/messages", message(",\"max_tokens\":8,\"stream\":true"))
                .events();
        StringBuilder deltas = new StringBuilder();
        events.forEach(event ->
                deltas.append(TestServer.JSON.readTree(event).at("/delta/text").asString("")));
        assertThat(deltas.toString().strip()).isEqualTo(text);
        assertThat(TestServer.JSON.readTree(events.getFirst()).at("/type").stringValue())
                .isEqualTo("message_start");
        assertThat(TestServer.JSON.readTree(events.getLast()).at("/type").stringValue())
                .isEqualTo("message_stop");
        int started = TestServer.JSON
                .readTree(events.getFirst())
                .at("/message/usage/input_tokens")
                .intValue();
        int counted = server.post("/v1/messages/count_tokens", message(""))
                .json()
                .at("/input_tokens")
                .intValue();
        assertThat(whole.at("/usage/input_tokens").intValue()
                        + whole.at("/usage/cache_read_input_tokens").intValue())
                .isEqualTo(counted);
        assertThat(started).isEqualTo(counted);
    }

    /** Tokens are counted without decoding; what the file shows is refused as it is for an answer. */
    @Test
    void anthropicCountsTokensOfImagesByTheirFiles() {
        String image = TestServer.png(0x336699);
        String cut = image.substring(0, image.length() / 8 * 4);
        for (String broken : List.of("", "!", "AAAA", cut)) {
            TestServer.Reply refused = server.post("/v1/messages/count_tokens", image(broken, ""));
            assertThat(refused.status()).as(broken).isEqualTo(400);
            assertThat(refused.json().at("/error/message"))
                    .isEqualTo(server.post("/v1/messages", image(broken, ",\"max_tokens\":8"))
                            .json()
                            .at("/error/message"));
        }
        assertThat(server.post("/v1/messages/count_tokens", image(image, "")).status())
                .isEqualTo(200);
    }

    /** 4 tokens of the whole image, and 4 x 4 of its tiles that are not padding, with a row-end token after each row. */
    @Test
    void tokensOfTiledImagesDependOnTheirSize(@TempDir Path folder) {
        Tiling tiling = new Tiling(List.of(new ImageSize(56, 56)), PatchMerge.SPATIAL_UNPAD);
        try (TestServer tiled = TestServer.start(folder, tiling, LIMITS)) {
            int text = count(tiled, TestServer.png(0, 40, 40)) - (4 + 4 * 5);
            assertThat(text).isPositive();
            assertThat(count(tiled, TestServer.png(0, 40, 15))).isEqualTo(text + 4 + 2 * 5);
            assertThat(count(tiled, TestServer.png(0, 15, 40))).isEqualTo(text + 4 + 4 * 3);
            JsonNode answer = tiled.post("/v1/messages", image(TestServer.png(0, 40, 15), ",\"max_tokens\":4"))
                    .json();
            assertThat(answer.at("/usage/input_tokens").intValue()
                            + answer.at("/usage/cache_read_input_tokens").intValue())
                    .isEqualTo(text + 4 + 2 * 5);
            String responses = "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":"
                    + "\"data:image/png;base64," + TestServer.png(0, 15, 40)
                    + "\"}]}],\"max_output_tokens\":4}";
            assertThat(tiled.post("/v1/responses", responses)
                            .json()
                            .at("/usage/input_tokens_details/image_tokens")
                            .intValue())
                    .isEqualTo(4 + 4 * 3);
        }
    }

    private static int count(TestServer server, String png) {
        return server.post("/v1/messages/count_tokens", image(png, ""))
                .json()
                .at("/input_tokens")
                .intValue();
    }

    private static String image(String base64, String more) {
        return """
                {"messages": [{"role": "user", "content": [{"type": "image", "source":
                {"type": "base64", "media_type": "image/png", "data": "%s"}}, {"type": "text", "text": "What?"}]}]%s}""".formatted(base64, more);
    }

    @Test
    void anthropicErrorsAndStopSequences() {
        TestServer.Reply reply = server.post("/v1/messages", message(""));
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().at("/error/type").stringValue()).isEqualTo("invalid_request_error");
        assertThat(reply.json().at("/error/message").stringValue()).contains("max_tokens");
        String text = server.post("/v1/messages", message(",\"max_tokens\":8"))
                .json()
                .at("/content/0/text")
                .stringValue();
        String stop = text.substring(1, 2);
        JsonNode stopped = server.post(
                        "/v1/messages",
                        message(",\"max_tokens\":8,\"stop_sequences\":[" + TestServer.JSON.writeValueAsString(stop)
                                + "]"))
                .json();
        assertThat(stopped.at("/stop_reason").stringValue()).isEqualTo("stop_sequence");
        assertThat(stopped.at("/stop_sequence").stringValue()).isEqualTo(stop);
    }

    @Test
    void ollama() throws IOException {
        String chat =
                "{\"model\":\"tiny:latest\",\"messages\":[{\"role\":\"user\",\"content\":\"what is it?\",\"images\":[\""
                        + TestServer.png(0xff00) + "\"]}],\"options\":{\"num_predict\":8}";
        JsonNode whole = server.post("/api/chat", chat + ",\"stream\":false}").json();
        assertThat(whole.at("/done").booleanValue()).isTrue();
        assertThat(whole.at("/done_reason").stringValue()).isIn("stop", "length");
        List<JsonNode> lines = server.post("/api/chat", chat + "}")
                .body()
                .lines()
                .map(TestServer.JSON::readTree)
                .toList();
        StringBuilder text = new StringBuilder();
        lines.forEach(line -> text.append(line.at("/message/content").asString("")));
        assertThat(text.toString().strip())
                .isEqualTo(whole.at("/message/content").stringValue());
        assertThat(lines.getLast().at("/eval_count")).isEqualTo(whole.at("/eval_count"));
        JsonNode generated = server.post(
                        "/api/generate",
                        "{\"model\":\"tiny\",\"prompt\":\"a cat\",\"stream\":false,\"options\":{\"num_predict\":4}}")
                .json();
        assertThat(generated.at("/response").isString()).isTrue();
        assertThat(server.post("/api/generate", "{\"model\":\"tiny\"}")
                        .json()
                        .at("/done_reason")
                        .stringValue())
                .isEqualTo("load");
        JsonNode listed = server.get("/api/tags").json().at("/models/0");
        assertThat(listed.at("/name").stringValue()).isEqualTo("tiny:latest");
        ModelFiles files = ModelFiles.of(List.of(dir.resolve("model")));
        assertThat(listed.at("/size").longValue())
                .isEqualTo(files.bytes())
                .isGreaterThan(Files.size(dir.resolve("model/model.safetensors")));
        assertThat(listed.at("/digest").stringValue())
                .isEqualTo(files.fingerprint())
                .hasSize(64);
        assertThat(listed.at("/details/quantization_level").stringValue()).isEqualTo("F32");
        assertThat(listed.at("/details/parameter_size").stringValue()).matches("[0-9.]+K");
        assertThat(server.post("/api/show", "{\"model\":\"tiny\"}")
                        .json()
                        .at("/capabilities/1")
                        .stringValue())
                .isEqualTo("vision");
        assertThat(server.get("/api/version").json().at("/version").stringValue())
                .isEqualTo("1.2.3");
        assertThat(server.post("/api/generate", "{\"prompt\":\"a\",\"options\":{\"num_ctx\":100000}}")
                        .status())
                .isEqualTo(400);
        assertThat(server.post("/api/chat", "{\"messages\":[],\"options\":{\"mirostat\":2}}")
                        .json()
                        .at("/error")
                        .stringValue())
                .contains("options.mirostat");
    }

    @Test
    void ownPaths() {
        JsonNode tokens = server.post("/tokenize", "{\"text\":\"what is it\"}").json();
        assertThat(tokens.at("/count").intValue())
                .isEqualTo(tokens.at("/tokens").size());
        assertThat(server.post("/detokenize", "{\"tokens\":" + tokens.at("/tokens") + "}")
                        .json()
                        .at("/text")
                        .stringValue())
                .isEqualTo("what is it");
        assertThat(server.get("/version").json().at("/version").stringValue()).isEqualTo("1.2.3");
        server.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":1}");
        assertThat(server.get("/metrics").body())
                .contains("llava_ready 1", "# TYPE llava_time_to_first_token_seconds histogram", "llava_queue_length ")
                .doesNotContain("NaN");
        TestServer.Reply page = server.get("/");
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.header("content-security-policy")).contains("default-src 'none'");
        assertThat(server.get("/main.js").header("content-type")).startsWith("text/javascript");
        assertThat(server.get("/..%2fbuild.properties").status()).isIn(400, 404);
    }

    /** The server answers before its model does. */
    @Test
    void loading() {
        try (TestServer loading = TestServer.unloaded(LIMITS, TestServer.OPEN)) {
            assertThat(loading.get("/health").status()).isEqualTo(503);
            TestServer.Reply reply = loading.post("/v1/completions", "{\"prompt\":\"a\"}");
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
        }
        assertThat(server.get("/health").status()).isEqualTo(200);
    }

    @Test
    void keysAndOrigins() throws IOException {
        Path file = Files.writeString(dir.resolve("keys"), "# mine\nsecret-1\n\nsecret-2\n");
        AccessRules access = new AccessRules(ApiKeys.read(file), List.of("https://good.example"), true);
        try (TestServer locked = TestServer.unloaded(LIMITS, access)) {
            assertThat(locked.get("/v1/models").status()).isEqualTo(401);
            assertThat(locked.get("/health").status()).isEqualTo(503);
            assertThat(locked.get("/").status()).isEqualTo(200);
            assertThat(get(locked, "Authorization", "Bearer secret-2")).isEqualTo(200);
            assertThat(get(locked, "x-api-key", "secret-1")).isEqualTo(200);
            assertThat(get(locked, "x-api-key", "secret-3")).isEqualTo(401);
            assertThat(locked.send(locked.request("/v1/models")
                                    .header("x-api-key", "secret-1")
                                    .header("Origin", "https://good.example")
                                    .build())
                            .header("access-control-allow-origin"))
                    .isEqualTo("https://good.example");
            assertThat(locked.send(locked.request("/v1/models")
                                    .header("x-api-key", "secret-1")
                                    .header("Origin", "https://evil.example")
                                    .build())
                            .status())
                    .isEqualTo(403);
        }
    }

    private static int get(TestServer server, String header, String value) {
        return server.send(server.request("/v1/models").header(header, value).build())
                .status();
    }

    /** A greedy answer is the same alone and beside others. */
    @Test
    void answersDoNotDependOnOthers() throws Exception {
        List<String> requests = new ArrayList<>();
        for (String question : List.of("a cat", "what is in the image?", "the dog is red", "blue", "is it?", "USER")) {
            requests.add("{\"prompt\":\"" + question + "\",\"max_tokens\":24}");
        }
        List<JsonNode> alone = new ArrayList<>();
        for (String request : requests) {
            alone.add(server.post("/v1/completions", request).json().at("/choices"));
        }
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<JsonNode>> together = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                String request = requests.get(i % requests.size());
                together.add(clients.submit(
                        () -> server.post("/v1/completions", request).json().at("/choices")));
            }
            for (int i = 0; i < together.size(); i++) {
                assertThat(together.get(i).get()).isEqualTo(alone.get(i % requests.size()));
            }
        }
    }
}
