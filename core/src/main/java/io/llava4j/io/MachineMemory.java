package io.llava4j.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Memory of the machine, or of the control group (container, service) that this process runs in, whichever is less; in
 * bytes.
 *
 * @param total that exists
 * @param available without swapping: free, or in caches that can be dropped
 */
public record MachineMemory(long total, long available) {
    /** Control groups say "no limit" by numbers that are larger than any memory. */
    private static final long NO_LIMIT = 1L << 60;

    private static final int MOST_PARENTS = 64;

    /** Current values, from Linux's {@code /proc/meminfo} and control groups of version 1 and 2; from the JVM elsewhere. */
    public static MachineMemory read() {
        return read(Path.of("/")).orElseGet(MachineMemory::ofJvm);
    }

    private static MachineMemory ofJvm() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            return new MachineMemory(system.getTotalMemorySize(), system.getFreeMemorySize());
        }
        return new MachineMemory(Long.MAX_VALUE, Long.MAX_VALUE);
    }

    /** As {@link #read()}, with the files below another root; empty without {@code proc/meminfo}. */
    static Optional<MachineMemory> read(Path root) {
        List<String> meminfo = lines(root.resolve("proc/meminfo"));
        OptionalLong total = kibibytes(meminfo, "MemTotal:");
        if (total.isEmpty()) {
            return Optional.empty();
        }
        OptionalLong free = kibibytes(meminfo, "MemAvailable:");
        MachineMemory memory = new MachineMemory(
                total.getAsLong(), free.orElse(kibibytes(meminfo, "MemFree:").orElse(0)));
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] fields = line.split(":", 3); // hierarchy, controllers, path
            if (fields.length < 3) {
                continue;
            }
            Path group = Path.of("/").relativize(Path.of("/").resolve(fields[2]).normalize());
            if (fields[1].isEmpty()) {
                memory = memory.within(
                        root.resolve("sys/fs/cgroup"), group, "memory.max", "memory.current", "inactive_file");
            } else if (List.of(fields[1].split(",")).contains("memory")) {
                memory = memory.within(
                        root.resolve("sys/fs/cgroup/memory"),
                        group,
                        "memory.limit_in_bytes",
                        "memory.usage_in_bytes",
                        "total_inactive_file");
            }
        }
        return Optional.of(memory);
    }

    /**
     * Limits of a control group and of those above it. In a container the group's path may be that of the host, which does
     * not exist inside; the group is then the root.
     */
    private MachineMemory within(Path mount, Path group, String limitFile, String usageFile, String cacheKey) {
        MachineMemory memory = this;
        Path folder = mount.resolve(group);
        for (int i = 0; i < MOST_PARENTS && folder != null && folder.startsWith(mount); i++) {
            OptionalLong limit = number(folder.resolve(limitFile));
            if (limit.isPresent() && limit.getAsLong() < NO_LIMIT) {
                long cache = lines(folder.resolve("memory.stat")).stream()
                        .filter(line -> line.startsWith(cacheKey + " "))
                        .mapToLong(line ->
                                parse(line.substring(cacheKey.length() + 1)).orElse(0))
                        .sum();
                long used = Math.max(0, number(folder.resolve(usageFile)).orElse(0) - cache);
                memory = new MachineMemory(
                        Math.min(memory.total, limit.getAsLong()),
                        Math.min(memory.available, Math.max(0, limit.getAsLong() - used)));
            }
            folder = folder.getParent();
        }
        return memory;
    }

    private static OptionalLong kibibytes(List<String> lines, String key) {
        return lines.stream()
                .filter(line -> line.startsWith(key) && line.endsWith(" kB"))
                .map(line -> parse(line.substring(key.length(), line.length() - 3)))
                .flatMapToLong(OptionalLong::stream)
                .map(number -> number * 1024)
                .findFirst();
    }

    private static OptionalLong number(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? OptionalLong.empty() : parse(lines.getFirst());
    }

    /** Empty for words such as {@code max}. */
    private static OptionalLong parse(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text.strip()));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException | UncheckedIOException e) {
            return List.of(); // not there, or not for us to read
        }
    }
}
