package io.llava4j.app.doctor;

import io.llava4j.ConfigException;
import io.llava4j.tensor.kernel.Kernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Processor, memory and graphics card. */
final class MachineChecks {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
    private static final long GIB = 1L << 30;
    /** Peak memory of the nano demo. */
    private static final long DEMO_MEMORY = 4 * GIB;

    private MachineChecks() {}

    static List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        findings.add(cores(Runtime.getRuntime().availableProcessors()));
        findings.add(simd(System.getProperty("os.arch"), lines(CPU_INFO)));
        findings.add(kernels());
        findings.add(memory(lines(MEMORY_INFO), Runtime.getRuntime().maxMemory()));
        findings.add(gpu(List.of("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")));
        return findings;
    }

    static Finding cores(int processors) {
        String detail = processors + (processors == 1 ? " processor" : " processors") + " for this JVM";
        return processors >= 2
                ? Finding.fine("cores", detail)
                : Finding.limited("cores", detail, "training shares one core with data loading; give it two or more");
    }

    /** Vector instructions as {@code /proc/cpuinfo} names them; on other architectures what every processor has. */
    static Finding simd(String arch, List<String> cpuInfo) {
        Set<String> flags = cpuInfo.stream()
                .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                .limit(1)
                .flatMap(line -> Arrays.stream(
                        line.substring(line.indexOf(':') + 1).strip().split("\\s+")))
                .collect(Collectors.toSet());
        if (arch.equals("aarch64")) {
            return Finding.fine("SIMD", flags.contains("sve") ? "NEON, SVE" : "NEON");
        }
        if (flags.isEmpty()) {
            return Finding.limited("SIMD", "unknown: there is no " + CPU_INFO, "make sure that the processor has AVX2");
        }
        List<String> found = Stream.of("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "amx_bf16")
                .filter(flags::contains)
                .toList();
        String detail =
                found.isEmpty() ? "none beyond SSE" : String.join(", ", found).toUpperCase(Locale.ROOT);
        return flags.contains("avx2")
                ? Finding.fine("SIMD", detail)
                : Finding.limited("SIMD", detail, "use a machine with AVX2; this one reaches a fraction of its speed");
    }

    /** The implementation of matrix products that models run on, and what else there is. */
    private static Finding kernels() {
        try {
            Kernels kernels = Kernels.instance();
            String others = Arrays.stream(Kernels.values())
                    .filter(each -> each != kernels)
                    .map(each -> each.option() + (each.isAvailable() ? " (available: " : " (not available: ")
                            + each.reason() + ")")
                    .collect(Collectors.joining(", "));
            String detail = "%s: %s; others: %s".formatted(kernels.option(), kernels.reason(), others);
            if (kernels != Kernels.SCALAR) {
                return Finding.fine("kernels", detail);
            }
            boolean faster = Kernels.available().size() > 1;
            String remedy = faster
                    ? "unset " + Kernels.VARIABLE
                    : "start java with --add-modules jdk.incubator.vector, or use a machine with AVX2";
            return Finding.limited("kernels", detail, "models run slowly: " + remedy);
        } catch (ConfigException e) {
            return Finding.unusable(
                    "kernels", String.valueOf(e.getMessage()), "unset " + Kernels.VARIABLE + " or name another one");
        }
    }

    static Finding memory(List<String> memoryInfo, long maxHeap) {
        String heap = gib(maxHeap) + " GiB Java heap";
        long total = kibibytes(memoryInfo, "MemTotal:");
        long available = kibibytes(memoryInfo, "MemAvailable:");
        if (total < 0 || available < 0) {
            return Finding.limited("memory", heap + "; total unknown", "the demo needs 4 GiB free");
        }
        String detail = "%s GiB, %s GiB available, %s".formatted(gib(total), gib(available), heap);
        return available >= DEMO_MEMORY
                ? Finding.fine("memory", detail)
                : Finding.limited("memory", detail, "the demo needs up to 4 GiB: close other programs");
    }

    private static long kibibytes(List<String> memoryInfo, String key) {
        return memoryInfo.stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).replace("kB", "").strip())
                .mapToLong(Long::parseLong)
                .map(kib -> kib * 1024)
                .findFirst()
                .orElse(-1);
    }

    static Finding gpu(List<String> query) {
        try {
            Process process = new ProcessBuilder(query)
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Finding.limited("GPU", query.getFirst() + " does not answer", "check the NVIDIA driver");
            }
            String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.exitValue() == 0
                    ? Finding.fine("GPU", answer.replaceAll("\\R", "; "))
                    : Finding.limited(
                            "GPU", query.getFirst() + ": " + answer.replaceAll("\\R.*", ""), "check the driver");
        } catch (IOException e) {
            return Finding.fine("GPU", "none (no " + query.getFirst() + "): the CPU computes");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Finding.limited("GPU", "unknown: interrupted", "run again");
        }
    }

    /** Whether the findings name a graphics card that answers. */
    static boolean hasGpu(List<Finding> findings) {
        return findings.stream()
                .anyMatch(finding -> finding.what().equals("GPU")
                        && finding.state() == Finding.State.FINE
                        && !finding.detail().startsWith("none"));
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // not Linux: the findings say "unknown"
        }
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f", (double) bytes / GIB);
    }
}
