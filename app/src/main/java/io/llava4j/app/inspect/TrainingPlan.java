package io.llava4j.app.inspect;

import io.llava4j.app.data.AssumedSpeed;
import io.llava4j.train.run.plan.MemoryPlan;
import io.llava4j.train.run.plan.PlannedRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A table of what each process of a run will take, in lines that are comments of YAML. */
public final class TrainingPlan {
    private static final double GIB = 1L << 30;

    private TrainingPlan() {}

    /**
     * The table.
     *
     * @param run what is planned
     * @param speed of a process's device
     * @param deviceMemory bytes of a device to compare with; null for no comparison
     */
    public static List<String> lines(PlannedRun run, AssumedSpeed speed, @Nullable Long deviceMemory) {
        PlannedRun.Batch batch = run.batch();
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "memory of each of %d process%s: %s, sharding %s, %d sequences of %,d tokens at a time",
                run.worldSize(),
                run.worldSize() == 1 ? "" : "es",
                run.precision().name().toLowerCase(Locale.ROOT),
                run.sharding().name().toLowerCase(Locale.ROOT),
                batch.sequences() * run.parallel(),
                batch.tokens()));
        Map<String, Long> with = MemoryPlan.of(run.withCheckpointing(true)).parts();
        Map<String, Long> without = MemoryPlan.of(run.withCheckpointing(false)).parts();
        lines.add(String.format("%-12s %22s %22s", "GiB", "with checkpointing", "without"));
        with.forEach((part, bytes) -> lines.add(String.format(
                Locale.ROOT,
                "%-12s %22.2f %22.2f",
                part,
                bytes / GIB,
                Objects.requireNonNull(without.get(part)) / GIB)));
        MemoryPlan plan = MemoryPlan.of(run);
        long total = plan.total();
        lines.add(String.format(
                Locale.ROOT,
                "this recipe has gradient-checkpointing %s: %.1f GiB%s",
                run.checkpointing(),
                total / GIB,
                compared(total, deviceMemory)));
        if (plan.answering() > 0) {
            lines.add(String.format(
                    Locale.ROOT,
                    "evaluation.samples and evaluation.tasks gather all weights on rank 0, %.2f GiB: %.1f GiB with its share%s",
                    plan.evaluation() / GIB,
                    plan.answering() / GIB,
                    compared(plan.answering(), deviceMemory)));
        }
        lines.add(String.format(
                Locale.ROOT,
                "a checkpoint is copied to the host's memory and written from there: %.2f GiB of each process",
                plan.checkpointCopy() / GIB));
        lines.add(String.format(
                Locale.ROOT,
                "until the first step at most %.2f GiB are needed, to load the model",
                plan.loading() / GIB));
        double operations = run.operationsOfStep();
        lines.add(String.format(
                Locale.ROOT,
                "a step of %d samples: at most %.3g operations in each process, %.1f s at %s TFLOP/s (%s)",
                batch.sequences() * run.accumulation() * run.worldSize(),
                operations,
                operations / (speed.teraflops() * 1e12),
                String.format(Locale.ROOT, speed.teraflops() < 10 ? "%.2f" : "%.0f", speed.teraflops()),
                speed.basis()));
        return lines;
    }

    private static String compared(long bytes, @Nullable Long deviceMemory) {
        return deviceMemory == null
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", which %s %.1f GiB",
                        bytes <= deviceMemory ? "fits in" : "does not fit in",
                        deviceMemory / GIB);
    }
}
