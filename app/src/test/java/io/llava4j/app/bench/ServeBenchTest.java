package io.llava4j.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.llava4j.LlavaException;
import io.llava4j.app.cli.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeBenchTest {
    private static final String PIECE = "data: {\"choices\": [{\"delta\": {\"content\": \"a\"}}]}\n\n";
    private static final String STREAM =
            "data: {\"choices\": [{\"delta\": {\"role\": \"assistant\"}}]}\n\n" + PIECE + PIECE + "data: [DONE]\n\n";

    @TempDir
    Path dir;

    /** Each way to answer has a row, with and without images; the second question about an image has a line. */
    @Test
    void theSameLoadIsGivenToTheModelAndToAServer() throws IOException {
        HttpServer server = answering(200, STREAM);
        try {
            StringWriter out = new StringWriter();
            ServeBench.run(new PrintWriter(out), TinyModel.write(dir, 512), options(server));
            List<String> lines = out.toString().lines().toList();
            assertThat(lines).hasSize(1 + 2 * 3 + 2);
            assertThat(lines.subList(1, 7))
                    .extracting(line -> line.substring(0, 27).strip().replaceAll(" +", " "))
                    .containsExactly(
                            "2 no one by one",
                            "2 no together",
                            "2 no by server",
                            "2 yes one by one",
                            "2 yes together",
                            "2 yes by server");
            assertThat(lines.get(7)).startsWith("second question about an image, model: first token after");
            assertThat(lines.get(8)).startsWith("second question about an image, server: first token after");
        } finally {
            server.stop(0);
        }
    }

    /** A stream's pieces with text count as tokens, its first and its last event do not. */
    @Test
    void piecesOfAStreamCountAsTokens() throws IOException {
        HttpServer server = answering(200, STREAM);
        try (Asking asked = Asking.server(address(server), 4)) {
            Asking.Times times = asked.ask("What is this?", null);
            assertThat(times.tokens()).isEqualTo(2);
            assertThat(times.firstToken()).hasSize(1);
            assertThat(times.betweenTokens()).hasSize(1);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void anErrorOfTheServerIsNamed() throws IOException {
        HttpServer server = answering(404, "no such path");
        try (Asking asked = Asking.server(address(server), 4)) {
            assertThatThrownBy(() -> asked.ask("What is this?", null))
                    .isInstanceOf(LlavaException.class)
                    .hasMessageContaining("answers with status 404: no such path");
        } finally {
            server.stop(0);
        }
    }

    private static ServeBench.Options options(HttpServer server) {
        return new ServeBench.Options(List.of(2), 1, 3, 32, address(server));
    }

    private static URI address(HttpServer server) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private static HttpServer answering(int status, String body) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(status, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        });
        server.start();
        return server;
    }
}
