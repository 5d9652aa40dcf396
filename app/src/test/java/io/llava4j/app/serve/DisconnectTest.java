package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.schedule.SchedulerStats;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DisconnectTest {
    private static final String LONG = "{\"messages\":[{\"role\":\"user\",\"content\":\"the cat\"}],\"max_tokens\":450,"
            + "\"temperature\":2,\"seed\":%d,\"stream\":%s}";

    /** Its answer does not end while a test waits. */
    private static final String ENDLESS = LONG.replace("450", "90000");

    @TempDir
    Path dir;

    /** The client leaves while its answer is written, whole or in pieces; the next one need not wait for the rest. */
    @ParameterizedTest
    @Timeout(60)
    @ValueSource(booleans = {true, false})
    void theSlotOfAClientThatLeavesIsFree(boolean stream) throws Exception {
        Scheduler.Limits limits = new Scheduler.Limits(1, 4, 0, 1 << 24, Duration.ofSeconds(60));
        try (TestServer server = TestServer.start(dir, 100_000, limits)) {
            for (int i = 0; i < 5; i++) {
                leave(server, ENDLESS.formatted(i, stream));
            }
            assertThat(server.post("/v1/completions", "{\"prompt\":\"a cat\",\"max_tokens\":2}")
                            .status())
                    .isEqualTo(200);
            assertThat(server.model.times().abandoned()).isPositive();
        }
    }

    private static void leave(TestServer server, String body) throws IOException, InterruptedException {
        try (Socket socket = send(server, body)) {
            assertThat(socket.isConnected()).isTrue();
            while (running(server) == 0) {
                Thread.sleep(1);
            }
        }
        while (running(server) > 0) {
            Thread.sleep(1);
        }
    }

    private static Socket send(TestServer server, String body) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port());
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream()
                .write(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Content-Length: " + bytes.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return socket;
    }

    /** One answer runs, one waits, and the third is refused; those that were accepted are answered. */
    @Test
    void aFullQueueIsSaidAtOnce() throws Exception {
        Scheduler.Limits limits = new Scheduler.Limits(1, 1, 0, 1 << 24, Duration.ofSeconds(60));
        try (TestServer server = TestServer.start(dir, limits, TestServer.OPEN);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?>[] answers = new Future<?>[12];
            int[] counts = new int[2];
            for (int i = 0; i < answers.length; i++) {
                String body = LONG.formatted(i, false);
                answers[i] = clients.submit(() -> {
                    TestServer.Reply reply = server.post("/v1/chat/completions", body);
                    assertThat(reply.status()).as(reply.body()).isIn(200, 429);
                    synchronized (counts) {
                        counts[reply.status() == 200 ? 0 : 1]++;
                    }
                    if (reply.status() == 429) {
                        assertThat(Integer.parseInt(reply.header("retry-after")))
                                .isPositive();
                        assertThat(reply.json().at("/error/code").stringValue()).isEqualTo("rate_limit_exceeded");
                    }
                });
            }
            for (Future<?> answer : answers) {
                answer.get();
            }
            assertThat(counts[0]).isPositive();
            assertThat(counts[0] + counts[1]).isEqualTo(answers.length);
        }
    }

    /** A request that finds the queue full is refused before its images are looked at. */
    @Test
    @Timeout(60)
    void aFullQueueIsSaidBeforeImagesAreDecoded() throws Exception {
        Scheduler.Limits limits = new Scheduler.Limits(1, 1, 0, 1 << 24, Duration.ofSeconds(60));
        String broken = "{\"prompt\":\"a\",\"images\":[\"AAAA\"]}";
        try (TestServer server = TestServer.start(dir, 100_000, limits)) {
            assertThat(server.post("/api/generate", broken).status()).isEqualTo(400);
            String body = ENDLESS.formatted(1, true);
            List<Socket> clients = new ArrayList<>();
            while (running(server) < 2) { // an answer may end before the next one begins
                clients.add(send(server, body));
                Thread.sleep(20);
            }
            assertThat(server.post("/api/generate", broken).status()).isEqualTo(429);
            for (Socket client : clients) {
                client.close();
            }
            while (running(server) > 0) {
                Thread.sleep(5);
            }
            assertThat(server.post("/api/generate", broken).status()).isEqualTo(400);
        }
    }

    private static int running(TestServer server) {
        SchedulerStats stats = server.model.pipeline().stats();
        return stats.running() + stats.waiting();
    }
}
