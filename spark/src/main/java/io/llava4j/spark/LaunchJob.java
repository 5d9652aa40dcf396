package io.llava4j.spark;

import io.llava4j.ConfigException;
import io.llava4j.app.cli.BuildInfo;
import io.llava4j.train.launch.LaunchPlan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A main class for {@code spark-submit}: {@code llava launch} on a cluster, a task of a barrier stage for each rank. */
@Command(
        name = LaunchJob.COMMAND,
        mixinStandardHelpOptions = true,
        versionProvider = BuildInfo.class,
        description = "Train in several processes on a Spark cluster; restarts them when one fails.",
        customSynopsis = LaunchJob.COMMAND + " [OPTIONS] train RECIPE [OPTIONS of train]")
public final class LaunchJob implements Callable<Integer> {
    static final String COMMAND = "spark-submit --class io.llava4j.spark.LaunchJob llava4j-spark.jar";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-n", "--processes"},
            required = true,
            paramLabel = "N",
            description = "Processes (ranks); all run at the same time, each in a task.")
    private int processes;

    @Option(
            names = "--restarts",
            paramLabel = "K",
            description = "How often the stage is started again, from the newest checkpoint, when a rank or an executor"
                    + " fails (default: ${DEFAULT-VALUE}).")
    private int restarts = 3;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "How long a rank may be silent or be waited for (default: ${DEFAULT-VALUE}).")
    private int timeout = 600;

    @Option(
            names = "--llava",
            paramLabel = "FILE",
            description = "The command llava on every machine (default: ${DEFAULT-VALUE}, on the PATH).")
    private String llava = "llava";

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Folder that relative paths begin at, on every machine (default: the current folder).")
    private Path directory = Path.of("");

    @Parameters(arity = "1..*", paramLabel = "train RECIPE", description = "The verb train with all its options.")
    private List<String> command = List.of();

    private LaunchJob() {}

    @Override
    public Integer call() {
        RankProgram program =
                new RankProgram(llava, directory.toAbsolutePath().normalize().toString(), command);
        try {
            LaunchPlan.oneNode(processes, restarts, Duration.ofSeconds(timeout)); // checks the numbers
            program.check();
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        try (JavaSparkContext spark = new JavaSparkContext(SparkLaunch.conf(Duration.ofSeconds(timeout)))) {
            return new SparkLaunch(
                            spark,
                            processes,
                            restarts,
                            Duration.ofSeconds(timeout),
                            line -> spec.commandLine().getOut().println(line),
                            line -> spec.commandLine().getErr().println("llava: " + line))
                    .run(program);
        }
    }

    /** The command line; what follows the verb are its options. */
    static CommandLine commandLine() {
        return JobCommand.of(new LaunchJob()).setStopAtPositional(true);
    }

    /** Trains and prints the folder of the model; the exit code is that of {@code llava launch}. */
    public static void main(String[] args) {
        JobCommand.run(commandLine(), args);
    }
}
