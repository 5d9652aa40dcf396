package io.llava4j.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "signals are sent with kill")
class StopSignalTest {
    @Test
    void firstSignalAsksTheSecondEnds() throws IOException, InterruptedException {
        assumeFalse(interruptsAreIgnored(), "started in the background by a shell: children cannot be interrupted");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Waiting.class.getName())
                .redirectErrorStream(true)
                .start();
        try (BufferedReader lines = process.inputReader()) {
            assertThat(lines.readLine()).isEqualTo("working");
            signal("-INT", process);
            assertThat(lines.readLine()).isEmpty();
            assertThat(lines.readLine())
                    .isEqualTo("llava: stopping at the end of this step; Ctrl-C again stops at once");
            assertThat(lines.readLine()).isEqualTo("asked to stop");
            signal("-INT", process);
            assertThat(process.waitFor()).isEqualTo(130);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Children inherit what a shell without job control does to commands it puts into the background. */
    private static boolean interruptsAreIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        String ignored = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElse("SigIgn: 0");
        return (Long.parseUnsignedLong(ignored.substring(7).strip(), 16) & 2) != 0;
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Runs in a JVM of its own: works until it is ended. */
    static final class Waiting {
        private Waiting() {}

        public static void main(String[] args) throws InterruptedException {
            PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
            try (StopSignal stop = new StopSignal(out, "the end of this step")) {
                out.println("working");
                while (!stop.getAsBoolean()) {
                    Thread.sleep(10);
                }
                out.println("asked to stop");
                Thread.sleep(60_000);
            }
        }
    }
}
