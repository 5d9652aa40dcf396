package io.llava4j.app.bench;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Runs the variants of the training step in turn, a baseline among them, and prints a table. */
public final class TrainStepReport {
    private static final Pattern BASELINE = Pattern.compile("^(stage[12]): .*best ([\\d.]+)s med ([\\d.]+)s/step.*");

    private TrainStepReport() {}

    private record Row(List<Double> medians, long tokens, double flops) {}

    /**
     * Measures and prints.
     *
     * @param out the table
     * @param steps of each variant in a round
     * @param rounds how often every variant runs
     * @param supervised share of the text positions with a label
     * @param threads of the engine, 0 for one per processor
     * @param against a baseline command, or null
     */
    public static void run(
            PrintWriter out, int steps, int rounds, double supervised, int threads, @Nullable String against) {
        Engine.setThreads(threads);
        Map<String, Row> rows = new LinkedHashMap<>();
        double peak = 0;
        for (int round = 0; round < rounds; round++) {
            peak = Math.max(peak, TrainStepBench.gemmGflops());
            for (TrainStepBench.Mode mode : TrainStepBench.Mode.values()) {
                String name = mode.name().toLowerCase(Locale.ROOT);
                add(rows, name + ", all logits", TrainStepBench.run(mode, 1, true, steps));
                add(rows, name + ", supervised positions only", TrainStepBench.run(mode, supervised, false, steps));
            }
            if (against != null) {
                baseline(against, rows);
            }
        }
        out.printf(
                Locale.ROOT,
                "%s; fp32 matrix product of 1024: %.0f GFLOP/s; medians over %d rounds of %d steps%n",
                Engine.describe(),
                peak,
                rounds,
                steps);
        out.printf("%-34s %9s %9s %9s %7s %9s%n", "variant", "s/step", "tokens/s", "GFLOP/s", "peak", "baseline");
        for (Map.Entry<String, Row> entry : rows.entrySet()) {
            Row row = entry.getValue();
            double seconds = Median.of(row.medians());
            Row base = rows.get("baseline " + entry.getKey().split(",")[0]);
            String ratio = base == null || entry.getValue() == base
                    ? ""
                    : String.format(Locale.ROOT, "%.2fx", Median.of(base.medians()) / seconds);
            out.printf(
                    Locale.ROOT,
                    "%-34s %9.3f %9.0f %9.1f %6.0f%% %9s%n",
                    entry.getKey(),
                    seconds,
                    row.tokens() / seconds,
                    row.flops() / seconds / 1e9,
                    100 * row.flops() / seconds / 1e9 / peak,
                    ratio);
        }
        out.flush();
    }

    private static void add(Map<String, Row> rows, String name, TrainStepBench.Result result) {
        rows.computeIfAbsent(name, n -> new Row(new ArrayList<>(), result.tokens(), result.flops()))
                .medians()
                .add(result.median());
    }

    private static void baseline(String command, Map<String, Row> rows) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command.split(" ")).redirectErrorStream(true);
            // The launcher's settings are for this process; a baseline runs as its user would run it.
            builder.environment()
                    .keySet()
                    .removeIf(
                            key -> key.startsWith("MALLOC_") || key.startsWith("OMP_") || key.equals("GLIBC_TUNABLES"));
            Process process = builder.start();
            try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Matcher matcher = BASELINE.matcher(line);
                    if (matcher.matches()) {
                        Row ours = rows.get(matcher.group(1) + ", all logits");
                        if (ours != null) {
                            rows.computeIfAbsent(
                                            "baseline " + matcher.group(1),
                                            n -> new Row(new ArrayList<>(), ours.tokens(), ours.flops()))
                                    .medians()
                                    .add(Double.parseDouble(matcher.group(3)));
                        }
                    }
                }
            }
            if (process.waitFor() != 0) {
                throw new LlavaException("the baseline command failed: " + command);
            }
        } catch (IOException e) {
            throw new LlavaException("the baseline command cannot be started: " + command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LlavaException("the baseline was interrupted", e);
        }
    }
}
