package io.llava4j.app.cli;

import io.llava4j.app.bench.EvalBench;
import io.llava4j.app.bench.GenerateBench;
import io.llava4j.app.bench.KernelBench;
import io.llava4j.app.bench.MixtureBench;
import io.llava4j.app.bench.TrainStepReport;
import io.llava4j.image.ImageDecoder;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.Kernels;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench …}: measurements. */
@Command(
        name = "bench",
        description =
                "Measure speed: generate, tower, serve, kernels, train-step, eval, mixture; a server under load: load; and what"
                        + " storage types lose: fidelity.",
        subcommands = {
            BenchCommand.Generate.class,
            BenchServeCommand.class,
            BenchLoadCommand.class,
            BenchFidelityCommand.class,
            BenchTowerCommand.class,
            BenchCommand.KernelSpeed.class,
            BenchCommand.TrainStep.class,
            BenchCommand.Eval.class,
            BenchCommand.Mixture.class
        })
public final class BenchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a benchmark is missing, for example train-step");
    }

    /** {@code llava bench generate}. */
    @Command(
            name = "generate",
            description = "Measure one answer on the CPU: load, vision tower, prefill, decoding, memory; beside the"
                    + " machine's read bandwidth, which limits decoding.")
    static final class Generate implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Mixin
        private MeasuredModel model = new MeasuredModel();

        @Option(names = "--image", paramLabel = "FILE", description = "Ask about this image (default: text only).")
        private @Nullable Path image;

        @Option(
                names = "--prompt-tokens",
                paramLabel = "N",
                description = "Text tokens of the prompt, image tokens not counted (default: ${DEFAULT-VALUE}).")
        private int promptTokens = 512;

        @Option(names = "--new-tokens", paramLabel = "N", description = "Tokens decoded (default: ${DEFAULT-VALUE}).")
        private int newTokens = 32;

        @Option(names = "--rounds", description = "Rounds after one that warms up (default: ${DEFAULT-VALUE}).")
        private int rounds = 3;

        @Option(
                names = "--vision-tokens",
                paramLabel = "N",
                description = "Leave N image tokens of the image, as generate does with this option (default: all).")
        private int visionTokens;

        @Override
        public Integer call() {
            if (promptTokens < 2 || newTokens < 1 || rounds < 1) {
                throw new ParameterException(
                        spec.commandLine(), "--prompt-tokens is 2 or more, --new-tokens and --rounds 1 or more");
            }
            if (visionTokens != 0 && image == null) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--vision-tokens is about an image; name one with --image, or leave it out");
            }
            GenerateBench.run(
                    spec.commandLine().getOut(),
                    model.path(),
                    new GenerateBench.Options(
                            promptTokens,
                            newTokens,
                            image == null ? null : ImageDecoder.decode(image),
                            rounds,
                            visionTokens));
            return CommandLine.ExitCode.OK;
        }
    }

    /** {@code llava bench train-step}. */
    @Command(
            name = "train-step",
            description = "Measure a training step of a small LLaVA: tokens/s, GFLOP/s, share of peak.")
    static final class TrainStep implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Option(names = "--steps", description = "Steps per round (default: ${DEFAULT-VALUE}).")
        private int steps = 5;

        @Option(names = "--rounds", description = "Rounds; each runs every variant once (default: ${DEFAULT-VALUE}).")
        private int rounds = 2;

        @Option(
                names = "--supervised",
                description = "Share of the text positions with a label (default: ${DEFAULT-VALUE}, as in VQA data).")
        private double supervised = 0.2;

        @Option(
                names = "--against",
                paramLabel = "COMMAND",
                description = "A baseline command that runs once per round and prints lines 'MODE: … best S s …', for"
                        + " example: python3 train_step.py 2 stage1,stage2")
        private @Nullable String against;

        @Option(names = "--threads", description = "Threads; 0 means one per processor.")
        private int threads;

        @Override
        public Integer call() {
            TrainStepReport.run(spec.commandLine().getOut(), steps, rounds, supervised, threads, against);
            return CommandLine.ExitCode.OK;
        }
    }

    /** {@code llava bench kernels}. */
    @Command(
            name = "kernels",
            description = "Speed of matrix products on the CPU by weight type and implementation: bytes of weights per"
                    + " second with one column, beside a plain read, and operations per second with many.")
    static final class KernelSpeed implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Mixin
        private KernelsOption kernels = new KernelsOption();

        @Option(names = "--rows", description = "Rows of the weight (default: ${DEFAULT-VALUE}).")
        private int rows = 4096;

        @Option(
                names = "--columns-in",
                description = "Columns of the weight, a multiple of 256 (default: ${DEFAULT-VALUE}).")
        private int columnsIn = 4096;

        @Option(names = "--columns", description = "Columns that are multiplied together (default: ${DEFAULT-VALUE}).")
        private int columns = 512;

        @Option(
                names = "--types",
                split = ",",
                paramLabel = "TYPE",
                description = "Weight types: ${COMPLETION-CANDIDATES} except F64 (default: all).")
        private List<BlockFormat> types = List.of();

        @Option(names = "--rounds", description = "Rounds, of which medians are printed (default: ${DEFAULT-VALUE}).")
        private int rounds = 9;

        @Override
        public Integer call() {
            if (rows < 1 || columns < 1 || rounds < 1 || columnsIn < 1 || columnsIn % 256 != 0) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--rows, --columns and --rounds must be positive and --columns-in a multiple of 256");
            }
            if (types.contains(BlockFormat.F64)) {
                throw new ParameterException(spec.commandLine(), "no kernel multiplies by F64; choose F32");
            }
            List<Kernels> measured = kernels.isGiven() ? List.of(Kernels.instance()) : KernelBench.fast();
            KernelBench.run(spec.commandLine().getOut(), rows, columnsIn, columns, types, measured, rounds);
            return CommandLine.ExitCode.OK;
        }
    }

    /** {@code llava bench eval}. */
    @Command(
            name = "eval",
            description =
                    "Questions per second one by one, in batches, and in batches that share what prompts begin with;"
                            + " checks that the answers are identical.")
    static final class Eval implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Mixin
        private MeasuredModel model = new MeasuredModel();

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description =
                        "A folder for each benchmark, as for llava eval (default: nano benchmarks, written for the"
                                + " measurement).")
        private @Nullable Path data;

        @Option(
                names = "--tasks",
                split = ",",
                paramLabel = "NAME",
                description = "Benchmarks (default: ${DEFAULT-VALUE}).")
        private List<String> tasks = List.of("pope", "gqa");

        @Option(names = "--limit", paramLabel = "N", description = "Questions of each (default: ${DEFAULT-VALUE}).")
        private int limit = 360;

        @Option(
                names = "--batch-size",
                paramLabel = "N",
                description = "Questions at once (default: ${DEFAULT-VALUE}).")
        private int batchSize = 36;

        @Option(names = "--rounds", description = "Rounds; the ways take turns (default: ${DEFAULT-VALUE}).")
        private int rounds = 3;

        @Override
        public Integer call() {
            boolean identical =
                    EvalBench.run(spec.commandLine().getOut(), model.path(), data, tasks, limit, batchSize, rounds);
            return identical ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** {@code llava bench mixture}. */
    @Command(
            name = "mixture",
            description = "Build the 665K mixture from synthetic raw files of the real size: time, heap, counts.")
    static final class Mixture implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Option(
                names = "--percent",
                split = ",",
                paramLabel = "N",
                description = "Of the real size, with commas (default: ${DEFAULT-VALUE}).")
        private List<Integer> percent = List.of(10, 30, 100);

        @Option(names = "--work", paramLabel = "DIR", description = "For some 10 GB (default: a temporary folder).")
        private @Nullable Path work;

        @Option(names = "--threads", paramLabel = "N", description = "Sources read at once (default: all processors).")
        private int threads = Runtime.getRuntime().availableProcessors();

        @Override
        public Integer call() throws IOException {
            if (percent.stream().anyMatch(p -> p < 1 || p > 100) || threads < 1) {
                throw new ParameterException(spec.commandLine(), "--percent is 1 to 100, --threads 1 or more");
            }
            Path folder = work == null ? Files.createTempDirectory("llava-mixture") : work;
            PrintWriter out = spec.commandLine().getOut();
            out.printf(
                    "%d threads, heap of at most %.1f GB%n",
                    threads, Runtime.getRuntime().maxMemory() / 1e9);
            MixtureBench.Run last = null;
            for (int share : percent) {
                last = MixtureBench.run(Home.directory(), folder, share / 100.0, threads);
                out.printf(
                        "%3d %%: %,7d records of %.2f GB in %6.1f s (%.0f MB/s; %.1f s of processor time), at most %.2f GB of heap"
                                + " in use; raw files made in %.1f s%n",
                        share,
                        last.manifest().records(),
                        last.rawBytes() / 1e9,
                        last.buildSeconds(),
                        last.rawBytes() / 1e6 / last.buildSeconds(),
                        last.buildCpuSeconds(),
                        last.peakHeap() / 1e9,
                        last.generateSeconds());
                out.flush();
            }
            if (last != null) {
                out.print(MixtureTable.of(last.manifest()));
                out.flush();
            }
            return CommandLine.ExitCode.OK;
        }
    }
}
