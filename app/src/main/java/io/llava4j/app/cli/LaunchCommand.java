package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.launch.RankCommand;
import io.llava4j.app.launch.RankOutput;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.train.launch.HostPort;
import io.llava4j.train.launch.LaunchPlan;
import io.llava4j.train.launch.Launcher;
import io.llava4j.train.launch.SlurmEnvironment;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava launch}: one training run in several processes. */
@Command(
        name = "launch",
        description = "Train in several processes, on one or several nodes; restarts them when one fails.",
        customSynopsis = "llava launch [OPTIONS] train RECIPE [OPTIONS of train]",
        footer = {
            "",
            "Example: llava launch --processes 2 train recipes/nano/finetune.yaml",
            "Exit code: 0, or that of the rank which failed first, or 130 after Ctrl-C."
        })
final class LaunchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-n", "--processes"},
            paramLabel = "N",
            description = "Processes on this node, one per GPU; on the CPU they share its cores (default:"
                    + " ${DEFAULT-VALUE}).")
    private int processes = 1;

    @Option(
            names = "--nodes",
            paramLabel = "M",
            description = "Nodes; llava launch runs on each (default: ${DEFAULT-VALUE}).")
    private int nodes = 1;

    @Option(names = "--node-rank", paramLabel = "R", description = "This node, from 0 (default: ${DEFAULT-VALUE}).")
    private int nodeRank;

    @Option(
            names = "--rendezvous",
            paramLabel = "HOST:PORT",
            description = "Address of node 0, where its launcher listens for the others.")
    private @Nullable String rendezvous;

    @Option(
            names = "--slurm",
            description = "Take nodes, node rank and rendezvous from SLURM's variables; srun starts llava launch, once"
                    + " per node or once per process.")
    private boolean slurm;

    @Option(
            names = "--restarts",
            paramLabel = "K",
            description = "How often all ranks are started again, from the newest checkpoint, when one fails (default:"
                    + " ${DEFAULT-VALUE}).")
    private int restarts = LaunchPlan.RESTARTS;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "How long a rank or a node may be silent or be waited for (default: ${DEFAULT-VALUE}).")
    private int timeout = LaunchPlan.TIMEOUT_SECONDS;

    @Parameters(arity = "1..*", paramLabel = "train RECIPE", description = "The verb train with all its options.")
    private List<String> command = List.of();

    private LaunchCommand() {}

    /** What follows the verb {@code train} are its options, not those of launch. */
    static void leaveOptionsToTrain(CommandLine root) {
        Objects.requireNonNull(root.getSubcommands().get("launch")).setStopAtPositional(true);
    }

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        LaunchPlan plan = plan();
        check();
        RankCommand rank = new RankCommand(Main.class, command, processes);
        RankOutput output = new RankOutput(spec.commandLine().getOut(), err);
        try (StopSignal stop = new StopSignal(err, "the checkpoint of this step, on all ranks")) {
            return Launcher.run(plan, BuildInfo.version(), rank::of, output, output::note, stop)
                    .code();
        }
    }

    private LaunchPlan plan() {
        try {
            Duration limit = Duration.ofSeconds(timeout);
            if (!slurm) {
                return new LaunchPlan(
                        processes,
                        nodes,
                        nodeRank,
                        0,
                        rendezvous == null ? null : HostPort.parse(rendezvous),
                        restarts,
                        limit);
            }
            SlurmEnvironment task = SlurmEnvironment.of(System.getenv());
            return new LaunchPlan(
                    processes,
                    task.tasks(),
                    task.task(),
                    task.localTask() * processes,
                    rendezvous == null ? task.rendezvous() : HostPort.parse(rendezvous),
                    restarts,
                    limit);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** One message instead of one of every rank. */
    private void check() {
        if (!command.getFirst().equals("train")) {
            throw new ParameterException(
                    spec.commandLine(),
                    "'" + command.getFirst() + "' cannot be launched in several processes, only train can");
        }
        if (slurm && (nodes != 1 || nodeRank != 0)) {
            throw new ParameterException(
                    spec.commandLine(), "--slurm takes --nodes and --node-rank from SLURM; leave them out");
        }
        Main.commandLine().setErr(spec.commandLine().getErr()).parseArgs(command.toArray(String[]::new));
    }
}
