package io.llava4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputLockTest {
    @TempDir
    Path dir;

    /** Holds a lock until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws InterruptedException {
            OutputLock lock = OutputLock.of(Path.of(args[0]));
            try {
                OutputLock.of(Path.of(args[0]));
            } catch (ConfigException e) {
                System.err.println(e.getMessage()); // and this must not end the first one
            }
            System.out.println("locked");
            TimeUnit.HOURS.sleep(1);
            lock.close();
        }
    }

    private void requireRefused(Path output) {
        assertThatThrownBy(() -> OutputLock.of(output))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("another run is writing " + output);
    }

    @Test
    void anOutputHasOneWriterAtATimeAndNothingIsLeft() {
        Path output = dir.resolve("new/answers.jsonl");
        try (OutputLock lock = OutputLock.of(output)) {
            requireRefused(output);
            OutputLock.of(dir.resolve("new/other.jsonl")).close();
        }
        OutputLock.of(output).close();
        assertThat(dir.resolve("new")).isEmptyDirectory();
    }

    @Test
    void anotherProcessIsRefusedUntilItsEndHoweverItEnds() throws Exception {
        Path output = dir.resolve("answers.jsonl");
        Process holder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        output.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(holder.inputReader().readLine()).isEqualTo("locked");
            requireRefused(output);
        } finally {
            holder.destroyForcibly().waitFor();
        }
        assertThat(dir.resolve(".answers.jsonl.lock")).exists();
        OutputLock.of(output).close();
        assertThat(dir.resolve(".answers.jsonl.lock")).doesNotExist();
    }
}
