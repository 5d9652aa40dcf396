package io.llava4j.train.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.LlavaException;
import io.llava4j.tensor.collective.ReservedPort;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Launchers that look for each other, and strangers in their place. No process is started. */
@Timeout(120)
class RendezvousTest {
    private static final Worker.Output NO_OUTPUT = new Worker.Output() {
        @Override
        public void log(int rank, String line) {
            throw new AssertionError(line);
        }

        @Override
        public void result(int rank, String line) {
            throw new AssertionError(line);
        }
    };

    private final List<String> said = new CopyOnWriteArrayList<>();

    private static LaunchPlan node(int node, int port, int timeout) {
        return new LaunchPlan(1, 2, node, 0, new HostPort("127.0.0.1", port), 0, Duration.ofSeconds(timeout));
    }

    private int launch(LaunchPlan plan, String version) {
        return Launcher.run(
                        plan,
                        version,
                        resume -> {
                            throw new LlavaException("a rank was started");
                        },
                        NO_OUTPUT,
                        said::add,
                        () -> false)
                .code();
    }

    @Test
    void theNodesThatDidNotComeAreNamed() {
        try (ReservedPort port = new ReservedPort()) {
            assertThatThrownBy(() -> launch(node(0, port.number(), 1), "1"))
                    .isInstanceOf(LlavaException.class)
                    .hasMessage("of 2 nodes these did not come to 127.0.0.1:%d within 1 s: 1", port.number());
            assertThatThrownBy(() -> launch(node(1, port.number(), 1), "1"))
                    .isInstanceOf(LlavaException.class)
                    .hasMessageContaining(
                            "node 0 could not be reached at 127.0.0.1:%d within 1 s".formatted(port.number()));
        }
    }

    /** Else it would wait for its orders for ever. */
    @Test
    void aNodeThatIntroducesItselfAfterTheEndIsSentAway() throws IOException {
        try (ReservedPort port = new ReservedPort()) {
            Rendezvous rendezvous = new Rendezvous(node(0, port.number(), 5), "1");
            try (Socket early = new Socket("127.0.0.1", port.number());
                    Socket late = new Socket("127.0.0.1", port.number())) {
                Channel first = Channel.over(early);
                first.send(new Message.Hello("2", 2, 1, 1));
                assertThat(first.read(Duration.ofSeconds(60))).isInstanceOf(Message.Refused.class);
                rendezvous.close();
                Channel second = Channel.over(late);
                second.send(new Message.Hello("1", 2, 1, 1));
                assertThat(answer(second)).isNull();
            }
            assertThat(rendezvous.present()).isEmpty();
        }
    }

    private static @Nullable Message answer(Channel channel) throws IOException {
        try {
            return channel.read(Duration.ofSeconds(60));
        } catch (SocketException e) {
            return null; // the system closed it before it was accepted
        }
    }

    @Test
    void aNameOfNoMachineIsNamed() {
        LaunchPlan plan =
                new LaunchPlan(1, 2, 1, 0, new HostPort("no-such-host.invalid", 29_500), 0, Duration.ofSeconds(1));
        assertThatThrownBy(() -> launch(plan, "1"))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("no-such-host.invalid:29500 within 1 s: no machine has that name");
    }

    /** Whatever listens on the port of node 0 and is no launcher is found out within the timeout. */
    @ParameterizedTest
    @CsvSource({
        "NOTHING, it does not answer",
        "GARBAGE, it is no llava launch",
        "DRIP, it does not answer",
        "FLOOD, it is no llava launch",
        "ECHO, it is no llava launch",
        "CLOSE, it closes the connection",
    })
    void aStrangerInPlaceOfNodeZeroIsNamed(Stranger.Kind kind, String why) throws IOException {
        try (Stranger stranger = new Stranger(kind)) {
            assertThatThrownBy(() -> launch(node(1, stranger.port(), 2), "1"))
                    .isInstanceOf(LlavaException.class)
                    .hasMessage(
                            "node 0 could not be reached at 127.0.0.1:%d within 2 s: %s; check that it was started and that its address and port are right",
                            stranger.port(), why);
        }
    }

    /** Node 0 may get its port only after a stranger has left it. */
    @Test
    void nodeZeroIsFoundWhereAStrangerWas() throws Exception {
        CompletableFuture<Integer> other;
        int port;
        try (Stranger stranger = new Stranger(Stranger.Kind.GARBAGE)) {
            port = stranger.port();
            other = CompletableFuture.supplyAsync(() -> launch(node(1, port, 60), "1"));
            stranger.awaitVisit();
        }
        assertThatThrownBy(() -> launch(node(0, port, 60), "1")).hasMessage("a rank was started");
        assertThat(other)
                .failsWithin(Duration.ofSeconds(60))
                .withThrowableOfType(ExecutionException.class)
                .withMessageContaining("the ranks of this node were ended");
    }

    /** Both sides say why. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "3 | 2 | 1 | 1 | node 1 was started with --nodes 2 --processes 3, node 0 with --nodes 2 --processes 1; start all with the same numbers",
                "1 | 4 | 3 | 1 | node 3 was started with --nodes 4 --processes 1, node 0 with --nodes 2 --processes 1",
                "1 | 2 | 1 | 2 | node 1 runs llava4j 2, node 0 1; install the same on all",
            })
    void otherNumbersAndAnotherVersionAreRefused(int processes, int nodes, int node, String version, String why) {
        try (ReservedPort port = new ReservedPort()) {
            HostPort at = new HostPort("127.0.0.1", port.number());
            LaunchPlan wrong = new LaunchPlan(processes, nodes, node, 0, at, 0, Duration.ofSeconds(60));
            CompletableFuture<Integer> other = CompletableFuture.supplyAsync(() -> launch(wrong, version));
            try (Rendezvous rendezvous = new Rendezvous(node(0, at.port(), 60), "1")) {
                assertThat(other)
                        .failsWithin(Duration.ofSeconds(60))
                        .withThrowableOfType(ExecutionException.class)
                        .withMessageContaining(why);
                assertThat(rendezvous.missing())
                        .contains("refused: " + why); // what launcher 0 ends with at its timeout
            }
        }
    }

    @Test
    void aTakenRendezvousPortIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            assertThatThrownBy(() -> launch(node(0, taken.getLocalPort(), 5), "1"))
                    .isInstanceOf(LlavaException.class)
                    .hasMessageContaining("the rendezvous port " + taken.getLocalPort() + " cannot be listened on")
                    .hasMessageContaining("--rendezvous");
        }
    }

    /** The deadline is that of a whole message: bytes that come now and then do not put it off. */
    @Test
    void aMessageHasToComeAsAWhole() throws IOException {
        try (Stranger stranger = new Stranger(Stranger.Kind.DRIP);
                Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", stranger.port()));
            Channel channel = Channel.over(socket);
            assertThatThrownBy(() -> channel.read(Duration.ofMillis(300))).isInstanceOf(SocketTimeoutException.class);
        }
    }

    /** Listens and is no launcher. */
    private static final class Stranger implements AutoCloseable {
        enum Kind {
            NOTHING,
            GARBAGE,
            DRIP,
            FLOOD,
            ECHO,
            CLOSE
        }

        private final Kind kind;
        private final ServerSocket server = new ServerSocket();
        private final List<Socket> sockets = new CopyOnWriteArrayList<>();
        private final CompletableFuture<Void> visit = new CompletableFuture<>();
        private final Thread accepting;

        Stranger(Kind kind) throws IOException {
            this.kind = kind;
            server.setReuseAddress(true);
            server.bind(new InetSocketAddress(0));
            accepting = Thread.ofVirtual().start(this::accept);
        }

        private void accept() {
            try {
                while (true) {
                    Socket socket = server.accept();
                    sockets.add(socket);
                    Thread.ofVirtual().start(() -> talk(socket));
                }
            } catch (IOException e) {
                // Closed.
            }
        }

        private void talk(Socket socket) {
            try {
                OutputStream out = socket.getOutputStream();
                switch (kind) {
                    case NOTHING -> {}
                    case GARBAGE -> out.write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                    case DRIP -> {
                        while (true) {
                            out.write('{');
                            Thread.sleep(50);
                        }
                    }
                    case FLOOD -> {
                        byte[] much = new byte[1 << 16];
                        while (true) {
                            out.write(much);
                        }
                    }
                    case ECHO -> socket.getInputStream().transferTo(out);
                    case CLOSE -> socket.close();
                }
            } catch (IOException | InterruptedException e) {
                // The other side has gone.
            } finally {
                visit.complete(null);
            }
        }

        int port() {
            return server.getLocalPort();
        }

        void awaitVisit() {
            visit.join();
        }

        @Override
        public void close() throws IOException {
            server.close();
            try {
                accepting.join(); // which gives the port back
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
