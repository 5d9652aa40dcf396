package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What no HTTP client sends: the bytes of a request go over a socket as they are. */
class RawRequestsTest extends ServerTest {
    private static final String JSON = "Host: localhost\r\nContent-Type: application/json\r\n";

    /** Sends bytes, and reads what comes until the server closes the connection. */
    private static String exchange(byte[] request, boolean leaves) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            try {
                out.write(request);
                out.flush();
                if (leaves) {
                    socket.shutdownOutput();
                }
            } catch (SocketException e) {
                // The server has answered and closed already.
            }
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** A request that nothing more follows. */
    private static String exchange(String request) throws IOException {
        return exchange(request.getBytes(StandardCharsets.UTF_8), true);
    }

    private static String answer(String request) throws IOException {
        return body(exchange(request.getBytes(StandardCharsets.UTF_8), false))
                .at("/choices/0/text")
                .stringValue();
    }

    private static int status(String response) {
        assertThat(response).startsWith("HTTP/1.1 ");
        return Integer.parseInt(response.substring(9, 12));
    }

    private static JsonNode body(String response) {
        return TestServer.JSON.readTree(response.substring(response.indexOf("\r\n\r\n") + 4));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /v1/messages HTTP/1.1\r\n#Content-Length: 50\r\n\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Content-Length: -1\r\n\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Content-Length: many\r\n\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Content-Length: 99999999999999999999\r\n\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
                "POST /v1/messages HTTP/1.1\r\n#Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
                "POST /v1/messages HTTP/1.1\r\n#Transfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n0\r\n\r\n",
                "POST /v1/messages HTTP/1.1\r\n#Transfer-Encoding: chunked\r\n\r\n50\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
                "POST /v1/messages HTTP/1.1\r\nno header\r\n#Content-Length: 2\r\n\r\n{}",
                "POST /v1/messages HTTP/1.1\r\n#Content-Length: 2\r\nx\u0000y: 1\r\n\r\n{}",
                "POST /v1/messages\r\n\r\n",
                "GARBAGE\r\n\r\n",
                "GET  HTTP/1.1\r\n\r\n",
                "GET /v1/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /health HTTP/1.1\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"
            })
    void isRefused(String request) throws IOException {
        String response = exchange(request.replace("#", JSON));
        assertThat(status(response) / 100).as(response).isEqualTo(4);
        assertThat(body(response).has("error")).isTrue();
        assertThat(exchange("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void headersAreBounded() throws IOException {
        String response =
                exchange("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nx-filler: " + "a".repeat(1 << 15) + "\r\n\r\n");
        assertThat(status(response) / 100).isEqualTo(4);
        assertThat(body(response).at("/error/message").stringValue()).contains("not well-formed HTTP");
        String path = exchange("GET /" + "a".repeat(1 << 15) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertThat(status(path) / 100).isEqualTo(4);
    }

    /** A body that says it is larger than any may be is refused before it is sent. */
    @Test
    void aBodyThatWillBeTooLargeIsNotAwaited() throws IOException {
        String response = exchange("POST /v1/messages HTTP/1.1\r\n" + JSON + "Content-Length: 1000000000\r\n\r\n{");
        assertThat(status(response)).isEqualTo(413);
        assertThat(body(response).at("/error/type").stringValue()).isEqualTo("request_too_large");
    }

    /** A body without a length is bounded while it is read. */
    @Test
    void aChunkedBodyIsBounded() throws IOException {
        String chunk = "10000\r\n" + " ".repeat(1 << 16) + "\r\n";
        String response = exchange("POST /v1/messages HTTP/1.1\r\n" + JSON + "Transfer-Encoding: chunked\r\n\r\n"
                + chunk.repeat(200) + "0\r\n\r\n");
        if (!response.isEmpty()) { // a client that is still writing may find the connection reset
            assertThat(status(response)).isEqualTo(413);
        }
        assertThat(server.get("/health").status()).isEqualTo(200);
    }

    /** The server closes a connection itself when it has said that it will, or was asked to. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /health HTTP/1.1\r\n#Connection: close\r\n\r\n",
                "GET /nothing HTTP/1.1\r\n#Connection: close\r\n\r\n",
                "POST /tokenize HTTP/1.1\r\n#Connection: close\r\nContent-Length: 12\r\n\r\n{\"text\":\"a\"}",
                "POST /v1/completions HTTP/1.1\r\n#Content-Length: 29\r\n\r\n{\"prompt\":\"a\",\"max_tokens\":2}",
                "POST /v1/completions HTTP/1.1\r\n#Content-Length: 43\r\n\r\n{\"prompt\":\"a\",\"max_tokens\":2,\"stream\":true}"
            })
    void theLastResponseEndsTheConnection(String request) throws IOException {
        byte[] bytes = request.replace("#", JSON).getBytes(StandardCharsets.UTF_8);
        long before = server.model.times().abandoned();
        assertThat(status(exchange(bytes, false))).isIn(200, 404);
        assertThat(server.model.times().abandoned()).isEqualTo(before); // nobody left
    }

    /** Random damage to a good request: an answer or a refusal, and the server goes on. */
    @Test
    void damagedRequests() throws IOException {
        String body = "{\"prompt\":\"a cat\",\"max_tokens\":2}";
        String good = "POST /v1/completions HTTP/1.1\r\n" + JSON + "Connection: close\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
        String before = answer(good);
        Random random = new Random(7);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            byte[] bytes = good.getBytes(StandardCharsets.UTF_8);
            for (int j = 0; j <= random.nextInt(4); j++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            String response = exchange(bytes, true);
            int status = response.isEmpty() ? 400 : status(response);
            if (status / 100 == 5 && status != 505) {
                wrong.add(response + " to " + new String(bytes, StandardCharsets.ISO_8859_1));
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(answer(good)).isEqualTo(before);
    }
}
