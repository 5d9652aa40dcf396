package io.llava4j.app.doctor;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** The tensor engine: its natives on the class path, and whether they load. */
final class EngineChecks {
    private EngineChecks() {}

    static List<Finding> examine() {
        return examine(System.getProperty("os.name"), System.getProperty("os.arch"), () -> {
            Engine.load();
            return Engine.describe();
        });
    }

    /**
     * Looks for the natives first: loading costs seconds, and its error for missing natives is less clear.
     *
     * @param load loads the engine and describes it
     */
    static List<Finding> examine(String os, String arch, Supplier<String> load) {
        String platform = platform(os, arch);
        List<Finding> findings = new ArrayList<>();
        boolean blas = present("openblas", platform);
        boolean torch = present("pytorch", platform) || isForGpus();
        findings.add(natives("BLAS", "openblas", platform, blas));
        findings.add(natives("engine natives", "pytorch", platform, torch));
        if (blas && torch) {
            findings.add(loaded(load));
        }
        return findings;
    }

    private static Finding loaded(Supplier<String> load) {
        long start = System.nanoTime();
        try {
            String description = load.get();
            double seconds = (System.nanoTime() - start) * 1e-9;
            return Finding.fine("engine", String.format(Locale.ROOT, "%s, loaded in %.1f s", description, seconds));
        } catch (LlavaException e) {
            return Finding.unusable(
                    "engine",
                    String.valueOf(e.getMessage()),
                    "make sure that the home folder is writable and has 1 GiB free; the engine unpacks its natives there");
        }
    }

    private static Finding natives(String what, String library, String platform, boolean present) {
        return present
                ? Finding.fine(what, library + " natives for " + platform + " found")
                : Finding.unusable(
                        what,
                        "no " + library + " natives for " + platform,
                        "build with -Dnative.platform=" + platform + " if org.bytedeco:" + library
                                + " offers it; use Linux x86-64 otherwise");
    }

    /** Whether this is a build with natives for GPUs. */
    static boolean isForGpus() {
        return present("pytorch", platform(System.getProperty("os.name"), System.getProperty("os.arch")) + "-gpu");
    }

    private static boolean present(String library, String platform) {
        return EngineChecks.class.getResource("/org/bytedeco/" + library + "/" + platform + "/") != null;
    }

    /** The engine's name of a platform, found without loading one of its classes. */
    static String platform(String os, String arch) {
        String system = os.toLowerCase(Locale.ROOT);
        String name = system.startsWith("mac") ? "macosx" : system.startsWith("windows") ? "windows" : system;
        String processor = switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64" -> "arm64";
            default -> arch;
        };
        return name + "-" + processor;
    }
}
