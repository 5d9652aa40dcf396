package io.llava4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that appear whole or not at all. */
class AtomicFilesTest {
    @TempDir
    private Path dir;

    /** The second writer begins and ends while the first one writes; each leaves a whole file. */
    @Test
    void twoWritersOfOneFileDoNotDisturbEachOther() throws IOException {
        Path file = dir.resolve("weights");
        AtomicFiles.write(file, channel -> {
            channel.write(ByteBuffer.wrap("fir".getBytes(StandardCharsets.UTF_8)));
            AtomicFiles.write(file, "second".getBytes(StandardCharsets.UTF_8));
            assertThat(file).hasContent("second");
            channel.write(ByteBuffer.wrap("st".getBytes(StandardCharsets.UTF_8)));
        });

        assertThat(file).hasContent("first");
        assertThat(dir)
                .isDirectoryNotContaining(path -> path.getFileName().toString().endsWith(".partial"));
    }

    @Test
    void whatAKilledWriterLeftIsDeleted() throws IOException {
        Files.writeString(dir.resolve(".weights.partial"), "half");

        AtomicFiles.write(dir.resolve("weights"), "whole".getBytes(StandardCharsets.UTF_8));

        assertThat(dir.toFile().list()).containsExactly("weights");
    }

    @Test
    void aFailedWriteKeepsTheOlderFile() throws IOException {
        Path file = Files.writeString(dir.resolve("weights"), "old");

        assertThatThrownBy(() -> AtomicFiles.write(file, channel -> {
                    channel.write(ByteBuffer.wrap("ne".getBytes(StandardCharsets.UTF_8)));
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("the disk is full");

        assertThat(file).hasContent("old");
        assertThat(dir.toFile().list()).containsExactly("weights");
    }
}
