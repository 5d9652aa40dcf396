package io.llava4j.tensor.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that never come, strangers in their place, and processes that no longer answer: nobody waits for them without end. */
@Timeout(120)
class LostPeersTest {
    private static final Duration SHORT = Duration.ofSeconds(2);
    private static final Duration LONG = Duration.ofSeconds(60);

    private static ProcessGroup join(int rank, int port) {
        return join(rank, port, SHORT);
    }

    private static ProcessGroup join(int rank, int port, Duration timeout) {
        return ProcessGroup.join(new Rank(rank, 2, rank, "127.0.0.1", port, timeout), Engine.device("cpu"));
    }

    @Test
    void aRankZeroThatNeverComesIsALostPeer() {
        try (ReservedPort port = new ReservedPort()) {
            assertThatThrownBy(() -> join(1, port.number()))
                    .isInstanceOf(PeerLostException.class)
                    .hasMessage(
                            "rank 1 found no rank 0 at 127.0.0.1:%d within 2 s; look at the log of rank 0, and check MASTER_ADDR and MASTER_PORT",
                            port.number());
        }
    }

    @Test
    void anotherRankThatNeverComesIsALostPeer() {
        try (ReservedPort port = new ReservedPort()) {
            assertThatThrownBy(() -> join(0, port.number()))
                    .isInstanceOf(PeerLostException.class)
                    .hasMessage(
                            "rank 1 did not come to 127.0.0.1:%d within 2 s; look at its log, or start it",
                            port.number());
        }
    }

    /** What listens on the port is no rank 0: it says nothing, or something else, or ends the connection. */
    @ParameterizedTest
    @ValueSource(strings = {"nothing", "HTTP/1.1 400 Bad Request\r\n\r\n", "close"})
    void aStrangerInPlaceOfRankZeroIsALostPeer(String answer) throws IOException {
        try (Stranger stranger = new Stranger(answer)) {
            assertThatThrownBy(() -> join(1, stranger.port()))
                    .isInstanceOf(PeerLostException.class)
                    .hasMessageContaining("rank 1 found no rank 0 at 127.0.0.1:" + stranger.port());
        }
    }

    /** A stranger that talks to rank 0 does not keep the ranks apart. */
    @Test
    void strangersDoNotDisturbRankZero() throws Exception {
        try (ReservedPort port = new ReservedPort()) {
            List<Socket> strangers = new CopyOnWriteArrayList<>();
            Thread talk = Thread.ofVirtual().start(() -> {
                for (String garbage : List.of("", "GET / HTTP/1.1\r\n\r\n", "\0\0\0\0\377")) {
                    strangers.add(Stranger.talk(port.number(), garbage));
                }
            });
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    talk.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                join(1, port.number(), LONG).close();
            });
            ProcessGroup first = join(0, port.number(), LONG);
            assertThat(first.processOf(1))
                    .contains("process " + ProcessHandle.current().pid());
            first.close();
            other.join();
            for (Socket stranger : strangers) {
                stranger.close();
            }
        }
    }

    @Test
    void aTakenPortIsAFaultOfRankZeroItself() throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            assertThatThrownBy(() -> join(0, taken.getLocalPort()))
                    .isInstanceOf(LlavaException.class)
                    .isNotInstanceOf(PeerLostException.class)
                    .hasMessageContaining("rank 0 cannot listen on port " + taken.getLocalPort());
        }
    }

    /** The system gives a reserved port to nobody who asks for any; only who names it gets it. */
    @Test
    void aReservedPortIsGivenToNobodyElse() throws IOException {
        try (ReservedPort port = new ReservedPort();
                ReservedPort other = new ReservedPort()) {
            assertThat(other.number()).isNotEqualTo(port.number());
            assertThatThrownBy(() -> Stranger.connect(port.number())).isInstanceOf(IOException.class);
            try (ServerSocket told = new ServerSocket()) {
                told.setReuseAddress(true);
                told.bind(new InetSocketAddress(port.number()));
                Stranger.connect(port.number()).close();
            }
        }
    }

    /** A rank that is stopped, as one behind a cut network, is named, whichever it is. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "stops a process by a signal")
    void aRankThatNoLongerAnswersIsNamed(int stopped) {
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 2, Map.of(), Stopping.class, "" + stopped);
            ranks.start(1, 2, Map.of(), Stopping.class, "" + stopped);
            ForkedRanks.Ended other = ranks.await(1 - stopped);
            assertThat(other.errors())
                    .containsPattern("lost: rank " + stopped + " (at .* does not answer|did not come to the step)");
            assertThat(other.exitCode()).isEqualTo(1);
        }
    }

    /** Argument: the rank that stops itself after the processes have met. */
    static final class Stopping {
        public static void main(String[] args) throws Exception {
            Rank rank = Rank.fromEnvironment(System.getenv()).withTimeout(Duration.ofSeconds(6));
            ForkedRanks.awaitOthers(2);
            int exitCode = 0;
            try {
                ProcessGroup group = ProcessGroup.join(rank, Engine.device("cpu"));
                group.barrier("the start");
                if (rank.rank() == Integer.parseInt(args[0])) {
                    new ProcessBuilder(
                                    "kill",
                                    "-STOP",
                                    "" + ProcessHandle.current().pid())
                            .start()
                            .waitFor();
                }
                Thread.sleep(500);
                group.gatherText("", "the step");
            } catch (PeerLostException e) {
                System.err.println("lost: " + e.getMessage());
                exitCode = 1;
            }
            System.exit(exitCode);
        }
    }

    /** Listens and is no rank 0. */
    private static final class Stranger implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0);
        private final List<Socket> sockets = new CopyOnWriteArrayList<>();

        Stranger(String answer) throws IOException {
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        Socket socket = server.accept();
                        sockets.add(socket);
                        if (answer.equals("close")) {
                            socket.close();
                        } else if (!answer.equals("nothing")) {
                            socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                        }
                    }
                } catch (IOException e) {
                    // Closed.
                }
            });
        }

        int port() {
            return server.getLocalPort();
        }

        static Socket connect(int port) throws IOException {
            Socket socket = new Socket();
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
            return socket;
        }

        static Socket talk(int port, String words) {
            while (true) {
                try {
                    Socket socket = connect(port);
                    socket.getOutputStream().write(words.getBytes(StandardCharsets.ISO_8859_1));
                    return socket;
                } catch (IOException e) {
                    Thread.onSpinWait(); // rank 0 does not listen yet
                }
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
