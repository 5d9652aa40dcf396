package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Whatever a client sends, it is told in one sentence what is wrong, and the server goes on. */
class MalformedRequestsTest extends ServerTest {
    private static final int REQUESTS = 1000;
    private static final List<String> PATHS = List.of(
            "/v1/chat/completions",
            "/v1/responses",
            "/v1/completions",
            "/v1/messages",
            "/v1/messages/count_tokens",
            "/api/chat",
            "/api/generate",
            "/tokenize",
            "/detokenize");

    private record Bad(String path, String body) {}

    @Test
    void eachGetsOneSentence() throws IOException {
        Random random = new Random(1);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            Bad bad = bad(i, random);
            TestServer.Reply reply = server.post(bad.path, bad.body);
            String message = reply.status() / 100 == 4 ? message(reply.json()) : "";
            if (message.isBlank()
                    || message.contains("\n")
                    || message.contains("Exception")
                    || message.length() > 500) {
                String start = bad.body.substring(0, Math.min(200, bad.body.length()));
                wrong.add(bad.path + " " + reply.status() + " " + reply.body() + " to " + start);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(server.post("/v1/chat/completions", chat("\"hello\"")).status())
                .isEqualTo(200);
    }

    private static String message(JsonNode body) {
        JsonNode error = body.path("error");
        return error.isString() ? error.stringValue() : error.path("message").asString("");
    }

    private static String chat(String content) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":" + content + "}],\"max_tokens\":2}";
    }

    private static String image(String url) {
        return chat("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + url + "\"}}]");
    }

    private static Bad bad(int i, Random random) throws IOException {
        String any = PATHS.get(random.nextInt(PATHS.size()));
        String valid = chat("\"hello\"");
        return switch (i % 14) {
            case 0 -> new Bad(any, valid.substring(0, 1 + random.nextInt(valid.length() - 2))); // truncated
            case 1 -> new Bad(any, "[".repeat(1 + random.nextInt(100_000)));
            case 2 -> new Bad(any, "{\"a\":".repeat(100) + "1" + "}".repeat(100));
            case 3 ->
                new Bad("/v1/chat/completions", valid.replace("2}", "9".repeat(3 + random.nextInt(60)) + "9999999}"));
            case 4 -> new Bad("/v1/chat/completions", valid.replace("\"hello\"", wrongType(random)));
            case 5 -> new Bad("/v1/chat/completions", image("data:image/png;base64," + garbage(random)));
            case 6 -> new Bad("/v1/chat/completions", image("data:image/png;base64," + truncated(random)));
            case 7 -> new Bad("/v1/chat/completions", image("data:image/png;base64," + bomb(random)));
            case 8 -> new Bad("/v1/chat/completions", valid.replace("user", "role" + random.nextInt()));
            case 9 -> new Bad("/v1/chat/completions", image(badAddress(random)));
            case 10 -> new Bad(any, valid.replace("{\"messages\"", "{\"messages\":1,\"messages\""));
            case 11 -> new Bad(any, flipped(valid, random));
            case 12 -> new Bad("/v1/chat/completions", valid.replace("2}", "2,\"key" + random.nextInt() + "\":1}"));
            default -> new Bad(any, valid + valid);
        };
    }

    private static String wrongType(Random random) {
        List<String> values = List.of(
                "1", "true", "{}", "[]", "[1]", "[{}]", "null", "[{\"type\":\"video\"}]", "\"<image>\"", "1e999");
        return values.get(random.nextInt(values.size()));
    }

    private static String garbage(Random random) {
        List<String> values = List.of("", "####", "AAA", "A===", "AAAA", "iVBORw0KGgo=", "=".repeat(50), "é");
        return values.get(random.nextInt(values.size()));
    }

    private static String truncated(Random random) {
        byte[] png = Base64.getDecoder().decode(TestServer.png(0x00ff00));
        return Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(png, 20 + random.nextInt(png.length - 40)));
    }

    /** A PNG whose header promises more pixels than anybody decodes. */
    private static String bomb(Random random) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), "png", out);
        ByteBuffer png = ByteBuffer.wrap(out.toByteArray());
        png.putInt(16, 60_000 + random.nextInt(1_000_000)).putInt(20, 60_000 + random.nextInt(1_000_000));
        CRC32 crc = new CRC32();
        crc.update(png.array(), 12, 17);
        png.putInt(29, (int) crc.getValue());
        return Base64.getEncoder().encodeToString(png.array());
    }

    private static String badAddress(Random random) {
        List<String> values = List.of(
                "file:///etc/passwd",
                "/etc/passwd",
                "http://127.0.0.1/a.png",
                "https://example.com/a.png",
                "data:text/plain,hello",
                "data:image/png,abc",
                "gopher://x",
                "",
                "data:");
        return values.get(random.nextInt(values.size()));
    }

    /** With a character that JSON does not allow where it stands. */
    private static String flipped(String valid, Random random) {
        int at = random.nextInt(valid.length() + 1);
        return valid.substring(0, at) + "\u0001" + valid.substring(at);
    }

    @Test
    void bodiesAreBounded() {
        int length = Math.toIntExact(new ServerOptions(
                                java.net.InetAddress.getLoopbackAddress(),
                                0,
                                TestServer.OPEN,
                                TestServer.IMAGES,
                                java.time.Duration.ZERO)
                        .maxBody()
                + 1);
        TestServer.Reply reply = server.post("/v1/messages", " ".repeat(length));
        assertThat(reply.status()).isEqualTo(413);
        assertThat(reply.json().at("/error/type").stringValue()).isEqualTo("request_too_large");
    }

    @Test
    void whatIsNoJsonIsRefused() {
        TestServer.Reply reply = server.send(server.request("/v1/chat/completions")
                .header("Content-Type", "text/plain")
                .POST(java.net.http.HttpRequest.BodyPublishers.ofString(chat("\"a\"")))
                .build());
        assertThat(reply.status()).isEqualTo(415);
        assertThat(server.get("/v1/chat/completions").status()).isEqualTo(405);
        assertThat(server.get("/v1/nothing").status()).isEqualTo(404);
        assertThat(server.get("/api/nothing").json().path("error").stringValue())
                .contains("no such path");
    }
}
