package io.llava4j.app.bench;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.generate.ModelLoader;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.model.cpu.CpuClipTower;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.tensor.kernel.Kernels;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Speed of vision tower and projector for one image, by the type of their weights. The types take turns in every round. */
public final class TowerBench {
    private static final double GIGA = 1e9;

    private TowerBench() {}

    private record Measured(String name, CpuImageEncoder encoder, List<Double> tower, List<Double> projector) {
        Measured(String name, CpuImageEncoder encoder) {
            this(name, encoder, new ArrayList<>(), new ArrayList<>());
        }
    }

    /**
     * Measures and prints medians.
     *
     * @param types to compute from besides the weights as they are stored
     * @param rounds after one that warms up
     */
    public static void run(PrintWriter out, Path directory, List<Precision> types, int rounds) {
        List<Measured> all = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            try {
                all.add(load(checkpoint, null));
                types.forEach(type -> all.add(load(checkpoint, type)));
                measure(out, checkpoint.config(), all, rounds);
            } finally {
                all.forEach(each -> each.encoder().close());
            }
        }
    }

    private static Measured load(Checkpoint checkpoint, @Nullable Precision type) {
        return new Measured(type == null ? "as stored" : type.name(), ModelLoader.imageEncoder(checkpoint, type));
    }

    private static void measure(PrintWriter out, LlavaConfig config, List<Measured> all, int rounds) {
        VisionConfig vision = config.vision();
        int blocks = all.getFirst().encoder().tower().blocks();
        double total = towerOperations(vision, blocks) + projectorOperations(config);
        out.printf(
                Locale.ROOT,
                "%s kernels, %d processors; %d positions through %d blocks and the projector are %.1f GFLOP; medians of"
                        + " %d rounds%n",
                Kernels.instance().option(),
                Runtime.getRuntime().availableProcessors(),
                vision.patches() + 1,
                blocks,
                total / GIGA,
                rounds);
        for (int round = -1; round < rounds; round++) {
            for (Measured each : all) {
                round(each, vision.imageSize(), round >= 0);
            }
        }
        out.printf(
                "%-10s %10s %10s %12s %10s %14s%n", "weights", "MB", "tower, s", "projector, s", "image, s", "GFLOP/s");
        for (Measured each : all) {
            double tower = Median.of(each.tower());
            double projector = Median.of(each.projector());
            out.printf(
                    Locale.ROOT,
                    "%-10s %10.1f %10.3f %12.3f %10.3f %14.0f%n",
                    each.name(),
                    each.encoder().bytes() / 1e6,
                    tower,
                    projector,
                    tower + projector,
                    total / GIGA / (tower + projector));
        }
        out.flush();
    }

    private static void round(Measured measured, int edge, boolean counts) {
        float[] pixels = new float[3 * edge * edge];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (i * 7919 % 1009 - 504) / 252f;
        }
        CpuClipTower tower = measured.encoder().tower();
        long start = System.nanoTime();
        MemorySegment states = tower.embed(pixels);
        MemorySegment features = tower.take(0, states, MemorySegment.NULL);
        for (int block = 0; block < tower.blocks(); block++) {
            tower.forward(block, states);
            features = tower.take(block + 1, states, features);
        }
        long half = System.nanoTime();
        measured.encoder().projector().project(features);
        if (counts) {
            measured.tower().add((half - start) / GIGA);
            measured.projector().add((System.nanoTime() - half) / GIGA);
        }
    }

    /** Products of the blocks that run: four square ones, the MLP, and attention. */
    private static double towerOperations(VisionConfig vision, int blocks) {
        double positions = vision.patches() + 1.0;
        double hidden = vision.hiddenSize();
        double weights = 4 * hidden * hidden + 2 * hidden * vision.intermediateSize();
        return blocks * positions * (2 * weights + 4 * positions * hidden);
    }

    private static double projectorOperations(LlavaConfig config) {
        return 2
                * ProjectorType.parse(config.projectorType())
                        .products(config.vision().hiddenSize(), config.text().hiddenSize(), config.featuresPerView());
    }
}
