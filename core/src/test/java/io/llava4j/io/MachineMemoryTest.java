package io.llava4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path root;

    private void write(String file, String content) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }

    private void machine() throws IOException {
        write("proc/meminfo", "MemTotal:       8388608 kB\nMemFree:    1048576 kB\nMemAvailable:    4194304 kB\n");
    }

    private MachineMemory read() {
        return MachineMemory.read(root).orElseThrow();
    }

    @Test
    void withoutControlGroupsTheMachineCounts() throws IOException {
        assertThat(MachineMemory.read(root)).isEmpty();
        machine();
        assertThat(read()).isEqualTo(new MachineMemory(8192 * MIB, 4096 * MIB));
        write("proc/self/cgroup", "0::/user.slice\nnonsense\n1:name=systemd:/x\n");
        assertThat(read()).isEqualTo(new MachineMemory(8192 * MIB, 4096 * MIB));
    }

    @Test
    void theTightestGroupOfVersion2Counts() throws IOException {
        machine();
        write("proc/self/cgroup", "0::/a/b\n");
        write("sys/fs/cgroup/a/b/memory.max", "max\n");
        write("sys/fs/cgroup/a/memory.max", 2048 * MIB + "\n");
        write("sys/fs/cgroup/a/memory.current", 1024 * MIB + "\n");
        write("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file " + 512 * MIB + "\n");
        assertThat(read()).isEqualTo(new MachineMemory(2048 * MIB, 1536 * MIB));
        write("sys/fs/cgroup/memory.max", 1024 * MIB + "\n");
        assertThat(read()).isEqualTo(new MachineMemory(1024 * MIB, 1024 * MIB));
    }

    /** Inside a container the path in proc is the host's, and the mounted group is the container's own. */
    @Test
    void aContainersOwnLimitIsFound() throws IOException {
        machine();
        write("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", 3072 * MIB + "\n");
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", 4000 * MIB + "\n");
        assertThat(read()).isEqualTo(new MachineMemory(3072 * MIB, 0));
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertThat(read()).isEqualTo(new MachineMemory(8192 * MIB, 4096 * MIB));
    }

    @Test
    void thisMachineHasMemory() {
        MachineMemory memory = MachineMemory.read();
        assertThat(memory.total()).isGreaterThan(64 * MIB);
        assertThat(memory.available()).isBetween(0L, memory.total());
    }
}
