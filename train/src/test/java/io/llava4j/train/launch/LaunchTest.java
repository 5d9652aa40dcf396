package io.llava4j.train.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.LlavaException;
import io.llava4j.tensor.collective.ReservedPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Launches processes without a model, which fail in every way that a process can. */
@Timeout(180)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "faults are signals")
class LaunchTest {
    @TempDir
    Path dir;

    private final List<String> said = new CopyOnWriteArrayList<>();
    private final List<String> logs = new CopyOnWriteArrayList<>();
    private final List<String> results = new CopyOnWriteArrayList<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private String stopAt = "";

    private final Worker.Output output = new Worker.Output() {
        @Override
        public void log(int rank, String line) {
            logs.add(rank + ": " + line);
            if (line.equals(stopAt)) {
                stop.set(true);
            }
        }

        @Override
        public void result(int rank, String line) {
            results.add(rank + ": " + line);
        }
    };

    private List<String> command(boolean resume, String... faults) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                FakeRank.class.getName()));
        if (resume) {
            command.add("--resume");
        }
        command.add(dir.toString());
        command.addAll(List.of(faults));
        return command;
    }

    private int launch(int restarts, int timeout, String... faults) {
        return launch(LaunchPlan.oneNode(2, restarts, Duration.ofSeconds(timeout)), faults);
    }

    private int launch(LaunchPlan plan, String... faults) {
        return Launcher.run(plan, "1", resume -> command(resume, faults), output, said::add, stop::get)
                .code();
    }

    @Test
    void ranksGetTheContractAndRankZeroPrintsTheResult() {
        assertThat(launch(0, 120)).isZero();
        assertThat(logs)
                .containsExactlyInAnyOrder(
                        "0: contract 0/2 local 0 master 127.0.0.1 resume false",
                        "1: contract 1/2 local 1 master 127.0.0.1 resume false",
                        "0: [Gloo] Rank 0 is connected to its peers",
                        "1: [Gloo] Rank 1 is connected to its peers");
        assertThat(results).containsExactly("0: the result");
        assertThat(said).isEmpty();
    }

    @Test
    void aKilledRankIsNamedAndAllRestartFromTheNewestCheckpoint() {
        assertThat(launch(1, 120, "kill:1:3")).isZero();
        assertThat(said)
                .containsExactly(
                        "rank 1 was killed by signal 9 at step 3 of 6; restart 1 of 1 from the newest checkpoint");
        assertThat(logs).contains("0: contract 0/2 local 0 master 127.0.0.1 resume true");
        assertThat(results).containsExactly("0: the result");
    }

    @Test
    void withoutRestartsTheCodeAndTheLastLinesAreThoseOfTheRankThatFailedFirst() {
        assertThat(launch(0, 120, "kill+:1:3")).isEqualTo(137);
        assertThat(said).contains("  | fault kill+:1:3");
        assertThat(said.getLast()).isEqualTo("rank 1 was killed by signal 9 at step 3 of 6");
    }

    @Test
    void restartsAreCounted() {
        assertThat(launch(2, 120, "fail+:0:2")).isEqualTo(1);
        assertThat(said.getLast()).isEqualTo("rank 0 ended with exit code 1 at step 2 of 6 (after 2 restarts)");
        assertThat(said.stream().filter(line -> line.contains("; restart "))).hasSize(2);
    }

    @Test
    void aWrongCommandLineIsNotTriedAgain() {
        assertThat(launch(5, 120, "usage:0:0")).isEqualTo(2);
        assertThat(said).noneMatch(line -> line.contains("restart"));
    }

    @Test
    void aWrongRecipeIsNotTriedAgainAndEndsAllNodesWithTheSameCode() throws Exception {
        try (ReservedPort reserved = new ReservedPort()) {
            int port = reserved.number();
            CompletableFuture<Integer> other =
                    CompletableFuture.supplyAsync(() -> launch(node(1, port, 5, 60), "refuse:1:0"));
            assertThat(launch(node(0, port, 5, 60), "refuse:1:0")).isEqualTo(1);
            assertThat(other.get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(said)
                .filteredOn(line -> !line.startsWith("  |"))
                .hasSize(2)
                .allMatch(line -> line.startsWith("rank 1 ended with exit code 1 at step 0 of 6"));
    }

    @Test
    @Tag("launch")
    void aFrozenRankIsNamedWithinTheTimeout() {
        assertThat(launch(1, 8, "freeze:1:2")).isZero();
        assertThat(said.getFirst())
                .startsWith("rank 1 ")
                .contains("at step 2 of 6")
                .endsWith("restart 1 of 1 from the newest checkpoint");
    }

    @Test
    @Tag("launch")
    void aSlowRankIsNamedByWhatTheOthersWaitFor() {
        assertThat(launch(0, 5, "sleep:1:2")).isEqualTo(1);
        assertThat(said.getLast())
                .startsWith("rank 1 did not come to where the others wait; it was last at step 2 of 6, computing for");
    }

    @Test
    void aStopReachesEveryRankAndEachSaves() {
        stopAt = "fault pause:0:2";
        assertThat(launch(3, 120, "pause:0:2", "pause:1:2")).isEqualTo(130);
        assertThat(said).containsExactly("stopping all ranks", "stopped");
        assertThat(logs).contains("0: saved at step 3", "1: saved at step 3");
        assertThat(results).isEmpty();
    }

    @Test
    void aProgramThatDoesNotExistIsOneSentence() {
        LaunchPlan plan = LaunchPlan.oneNode(2, 3, Duration.ofSeconds(5));
        assertThatThrownBy(
                        () -> Launcher.run(plan, "1", resume -> List.of("/no/such/java"), output, said::add, stop::get))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("rank 0 cannot be started")
                .hasMessageContaining("/no/such/java");
    }

    private static LaunchPlan node(int node, int port, int restarts, int timeout) {
        return new LaunchPlan(1, 2, node, 0, new HostPort("127.0.0.1", port), restarts, Duration.ofSeconds(timeout));
    }

    @Test
    void nodesStartAndRestartTogether() throws Exception {
        try (ReservedPort reserved = new ReservedPort()) {
            int port = reserved.number();
            CompletableFuture<Integer> other =
                    CompletableFuture.supplyAsync(() -> launch(node(1, port, 1, 60), "kill:1:3"));
            assertThat(launch(node(0, port, 1, 60), "kill:1:3")).isZero();
            assertThat(other.get(60, TimeUnit.SECONDS)).isZero();
        }
        assertThat(said)
                .containsExactly(
                        "rank 1 was killed by signal 9 at step 3 of 6; restart 1 of 1 from the newest checkpoint");
        assertThat(logs)
                .contains(
                        "1: contract 1/2 local 0 master 127.0.0.1 resume false",
                        "0: contract 0/2 local 0 master 127.0.0.1 resume true");
    }

    @Test
    void strangersDoNotDisturb() throws Exception {
        List<Socket> strangers = new ArrayList<>();
        try (ReservedPort reserved = new ReservedPort()) {
            int port = reserved.number();
            CompletableFuture<Integer> first = CompletableFuture.supplyAsync(() -> launch(node(0, port, 0, 60)));
            for (String garbage : List.of(
                    "GET / HTTP/1.1\r\n\r\n",
                    "{\"Hello\": 7}\n",
                    "{\"Hello\": {\"nodes\": -1}}\n",
                    "{\"Hello\": {\"version\": \"1\", \"nodes\": 2, \"processes\": 1, \"node\": 7}}\n",
                    "{\"Finish\": {\"code\": 0}}\n",
                    "[[[[",
                    "")) {
                Socket stranger = connect(port);
                stranger.getOutputStream().write(garbage.getBytes(StandardCharsets.UTF_8));
                stranger.getOutputStream().flush();
                strangers.add(stranger);
            }
            assertThat(launch(node(1, port, 0, 60))).isZero();
            assertThat(first.get(60, TimeUnit.SECONDS)).isZero();
        }
        for (Socket stranger : strangers) {
            stranger.close();
        }
    }

    private static Socket connect(int port) throws InterruptedException {
        for (int i = 0; ; i++) { // until node 0 listens
            try {
                Socket socket = new Socket();
                socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
                return socket;
            } catch (IOException e) {
                if (i == 3000) {
                    throw new AssertionError(e);
                }
                Thread.sleep(20);
            }
        }
    }
}
