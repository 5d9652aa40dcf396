package io.llava4j.app.bench;

import com.sun.management.OperatingSystemMXBean;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Builds the whole mixture from synthetic raw files of the real size and of parts of it. */
public final class MixtureBench {
    private MixtureBench() {}

    /**
     * One measured build.
     *
     * @param share of the real size
     * @param rawBytes of the raw files
     * @param generateSeconds time to write the raw files
     * @param buildSeconds time to build the mixture
     * @param buildCpuSeconds processor time of the build, over all threads; hardly affected by other load
     * @param peakHeap largest heap in use, in bytes
     * @param manifest of the mixture
     */
    public record Run(
            double share,
            long rawBytes,
            double generateSeconds,
            double buildSeconds,
            double buildCpuSeconds,
            long peakHeap,
            Manifest manifest) {}

    /**
     * Generates raw files, builds the mixture from them and removes both.
     *
     * @param home folder of recipes and models
     * @param work folder with about ten gigabytes free; the benchmark creates a folder in it
     * @param share of the real size, up to 1
     * @param threads number of sources read in parallel
     */
    public static Run run(Path home, Path work, double share, int threads) throws IOException {
        Path own = work.resolve("llava-bench-mixture");
        Path raw = own.resolve("raw");
        Path built = own.resolve("built");
        delete(own);
        try {
            SyntheticRaw synthetic = new SyntheticRaw(raw, share);
            long begin = System.nanoTime();
            synthetic.write(threads);
            double generated = seconds(begin);
            MixtureRecipe recipe = recipe(home, synthetic, raw);
            List<MemoryPoolMXBean> heap = ManagementFactory.getMemoryPoolMXBeans().stream()
                    .filter(pool -> pool.getType() == MemoryType.HEAP)
                    .toList();
            System.gc();
            heap.forEach(MemoryPoolMXBean::resetPeakUsage);
            begin = System.nanoTime();
            long cpu = cpuNanos();
            Manifest manifest = MixtureBuilder.build(
                            recipe,
                            built,
                            new MixtureBuilder.Options(
                                    MixtureBuilder.Format.JSON, threads, (done, total) -> {}, () -> false))
                    .orElseThrow()
                    .manifest();
            double seconds = seconds(begin);
            double cpuSeconds = (cpuNanos() - cpu) / 1e9;
            long peak = heap.stream()
                    .mapToLong(pool -> pool.getPeakUsage().getUsed())
                    .sum();
            return new Run(share, bytes(raw), generated, seconds, cpuSeconds, peak, manifest);
        } finally {
            delete(own);
        }
    }

    private static MixtureRecipe recipe(Path home, SyntheticRaw synthetic, Path raw) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("raw", "'" + raw + "'");
        settings.put("tokenizer", "'" + home.resolve("models/nano-tokenizer") + "'");
        synthetic.expected().forEach((source, count) -> {
            settings.put("sources." + source + ".expected", count.toString());
            if (List.of("sharegpt", "ocr-vqa", "vg").contains(source)) {
                settings.put(source + ".sample", count.toString());
            }
        });
        return MixtureRecipe.load(home.resolve("recipes/data/mix665k.yaml"), settings);
    }

    private static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private static double seconds(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    private static long bytes(Path folder) throws IOException {
        long bytes = 0;
        for (Path file : files(folder)) {
            bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
        }
        return bytes;
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            List<Path> all = new ArrayList<>(files(folder));
            all.sort(Comparator.reverseOrder());
            for (Path file : all) {
                Files.delete(file);
            }
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.toList();
        }
    }
}
