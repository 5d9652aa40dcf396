package io.llava4j.app.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Resident memory of this process: the largest so far, and now. */
public final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private PeakMemory() {}

    /** Bytes, as the kernel counts them; on systems without /proc the memory of the Java heap alone. */
    public static long bytes() {
        return status("VmHWM:");
    }

    /** Bytes now, counted in the same way. */
    static long now() {
        return status("VmRSS:");
    }

    private static long status(String field) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(field)) {
                    return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException e) {
            // not Linux
        }
        return Runtime.getRuntime().totalMemory();
    }
}
