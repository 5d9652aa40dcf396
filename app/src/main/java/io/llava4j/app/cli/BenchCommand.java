package io.llava4j.app.cli;

import io.llava4j.app.bench.EvalBench;
import io.llava4j.app.bench.TrainStepReport;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench …}: measurements. */
@Command(
        name = "bench",
        description = "Measure: train-step, eval.",
        subcommands = {BenchCommand.TrainStep.class, BenchCommand.Eval.class})
public final class BenchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a benchmark is missing, for example train-step");
    }

    /** {@code llava bench train-step}. */
    @Command(name = "train-step", description = "A training step of a small LLaVA: tokens/s, GFLOP/s, share of peak.")
    static final class TrainStep implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Option(names = "--steps", description = "Steps of each round (default: ${DEFAULT-VALUE}).")
        private int steps = 5;

        @Option(names = "--rounds", description = "Rounds; the variants take turns (default: ${DEFAULT-VALUE}).")
        private int rounds = 2;

        @Option(
                names = "--supervised",
                description = "Share of the text positions with a label (default: ${DEFAULT-VALUE}, as in VQA data).")
        private double supervised = 0.2;

        @Option(
                names = "--against",
                paramLabel = "COMMAND",
                description = "A baseline that takes its turn in every round and prints lines 'MODE: … best S s …', for"
                        + " example: python3 train_step.py 2 stage1,stage2")
        private @Nullable String against;

        @Option(names = "--threads", description = "Threads; 0 for one per processor.")
        private int threads;

        @Override
        public Integer call() {
            TrainStepReport.run(spec.commandLine().getOut(), steps, rounds, supervised, threads, against);
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

        @Option(
                names = {"-m", "--model"},
                required = true,
                paramLabel = "DIR",
                description = "Model folder.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private Path model;

        @Option(
                names = "--data",
                required = true,
                paramLabel = "DIR",
                description = "A folder for each benchmark, as for llava eval.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private Path data;

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
                    EvalBench.run(spec.commandLine().getOut(), model, data, tasks, limit, batchSize, rounds);
            return identical ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        }
    }
}
