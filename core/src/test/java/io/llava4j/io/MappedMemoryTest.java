package io.llava4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedMemoryTest {
    @TempDir
    Path folder;

    @Test
    void releasedPagesAreReadFromTheFileAgain() throws IOException {
        byte[] content = new byte[1 << 20];
        new SplittableRandom(1).nextBytes(content);
        Path file = Files.write(folder.resolve("content"), content);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, content.length, arena);
            assertThat(mapped.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
            MappedMemory.release(mapped.asSlice(1000, 500_001));
            MappedMemory.release(mapped.asSlice(1000, 10));
            assertThat(mapped.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
        }
    }

    @Test
    void otherMemoryStays() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1 << 16).fill((byte) 7);
            MappedMemory.release(memory);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
        }
    }
}
