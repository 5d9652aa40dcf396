package io.llava4j.app.cli;

import io.llava4j.app.bench.TrainStepReport;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench …}: measurements. */
@Command(name = "bench", description = "Measure: train-step.", subcommands = BenchCommand.TrainStep.class)
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
}
