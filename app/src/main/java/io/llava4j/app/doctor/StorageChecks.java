package io.llava4j.app.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Disk space and write permission for runs. */
final class StorageChecks {
    private static final long GIB = 1L << 30;
    /** Extracted engine libraries (0.5 GB), the nano world and the checkpoints of a demo run. */
    private static final long DEMO_DISK = 3 * GIB;

    private StorageChecks() {}

    static List<Finding> examine(Path runs) {
        Path existing = nearestExisting(runs.toAbsolutePath());
        return List.of(writable(runs, existing), space(existing));
    }

    static Finding writable(Path runs, Path existing) {
        String name = runs.toAbsolutePath().normalize().toString();
        if (!Files.isDirectory(existing)) {
            return Finding.unusable(
                    "runs folder", existing + " is a file", "move that file away, or choose another folder");
        }
        try {
            // Permission bits do not show read-only mounts and quotas; creating a file does.
            Files.delete(Files.createTempFile(existing, ".llava-doctor", ".tmp"));
            return Finding.fine("runs folder", name + " can be written");
        } catch (IOException e) {
            return Finding.unusable(
                    "runs folder",
                    existing + " cannot be written: " + e.getClass().getSimpleName(),
                    "make it writable, or start in a folder you may write to");
        }
    }

    private static Finding space(Path existing) {
        try {
            long free = Files.getFileStore(existing).getUsableSpace();
            String detail = String.format(Locale.ROOT, "%.1f GiB free in %s", (double) free / GIB, existing);
            return free >= DEMO_DISK
                    ? Finding.fine("disk", detail)
                    : Finding.limited("disk", detail, "the demo needs about 3 GiB: make room");
        } catch (IOException e) {
            return Finding.limited("disk", "unknown: " + e.getMessage(), "make sure that 3 GiB are free");
        }
    }

    private static Path nearestExisting(Path path) {
        Path existing = path;
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        return existing;
    }
}
