package io.llava4j.tensor.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.tensor.Engine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Two ranks, each in a network of its own that one cable joins; the cable is cut while they exchange tensors. */
@Tag("launch")
@EnabledOnOs(value = OS.LINUX, disabledReason = "makes networks with unshare and ip")
@Timeout(120)
class NetworkCutTest {
    /** How long a rank waits for the other. */
    private static final Duration PATIENCE = Duration.ofSeconds(8);

    /**
     * $1 is a folder, the rest the command of a rank. Ends when both ranks have; their exit codes are in files. The file "met" says that
     * they exchange tensors.
     */
    private static final String NETWORKS = """
            set -e
            cd "$1"; shift
            ip link set lo up
            ip link add left type veth peer name right
            unshare -n sh -c 'touch there; exec sleep 120' &
            other=$!
            trap 'kill $other' EXIT
            until [ -e there ]; do sleep 0.05; done
            ip link set right netns $other
            ip addr add 10.77.0.1/24 dev left
            ip link set left up
            nsenter -t $other -n sh -c 'ip link set lo up; ip addr add 10.77.0.2/24 dev right; ip link set right up'
            export WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=10.77.0.1 MASTER_PORT=29500 OMP_WAIT_POLICY=passive TORCH_CPP_LOG_LEVEL=ERROR
            (code=0; RANK=0 "$@" > 0.log 2>&1 || code=$?; echo $code > 0.code) &
            first=$!
            (code=0; RANK=1 nsenter -t $other -n "$@" > 1.log 2>&1 || code=$?; echo $code > 1.code) &
            second=$!
            until [ -e met ] || [ -e 0.code ] || [ -e 1.code ]; do sleep 0.05; done
            ip link set left down
            wait $first $second
            """;

    @TempDir
    Path dir;

    /** Sums a tensor over both ranks until that fails. */
    static final class Reducing {
        private Reducing() {}

        public static void main(String[] args) {
            Rank rank = Rank.fromEnvironment(System.getenv()).withTimeout(PATIENCE);
            try {
                ProcessGroup group = ProcessGroup.join(rank, Engine.device("cpu"));
                for (int i = 0; ; i++) {
                    Engine.scope("a sum", () -> {
                        group.allReduce(torch.ones(1 << 16));
                        return "";
                    });
                    if (i == 5 && rank.isFirst()) {
                        Files.createFile(Path.of("met"));
                    }
                }
            } catch (PeerLostException e) {
                System.out.println("lost: " + e.getMessage());
                System.exit(7);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static String runIn(List<String> command, int seconds) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return process.waitFor() == 0
                ? ""
                : new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip() + " (exit code "
                        + process.exitValue() + ")";
    }

    private static String cannotMakeNetworks() throws InterruptedException {
        try {
            return runIn(
                    List.of("unshare", "-rn", "sh", "-c", "ip link add left type veth peer name right && nsenter -V"),
                    10);
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void aCutBetweenTwoRanksIsNamedByBothAndNobodyHangs() throws Exception {
        String why = cannotMakeNetworks();
        assumeTrue(why.isEmpty(), () -> "this system does not let a user make networks: " + why);
        String failed = runIn(
                List.of(
                        "unshare",
                        "-rn",
                        "sh",
                        "-c",
                        NETWORKS,
                        "sh",
                        dir.toString(),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx512m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reducing.class.getName()),
                100);
        assertThat(failed).isEmpty();
        assertThat(dir.resolve("met")).as(() -> read("0.log") + read("1.log")).exists();
        for (int rank = 0; rank < 2; rank++) {
            assertThat(read(rank + ".log"))
                    .containsPattern("lost: .*rank %d .*(no longer answers|does not answer)".formatted(1 - rank));
            assertThat(read(rank + ".code").strip()).isEqualTo("7");
        }
    }

    private String read(String file) {
        try {
            return Files.readString(dir.resolve(file));
        } catch (IOException e) {
            return "no " + file;
        }
    }
}
