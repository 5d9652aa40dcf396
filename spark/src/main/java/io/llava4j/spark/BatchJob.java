package io.llava4j.spark;

import io.llava4j.app.cli.BatchOptions;
import io.llava4j.app.cli.BuildInfo;
import io.llava4j.train.batch.BatchSummary;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** A main class for {@code spark-submit}: {@code llava batch} on a cluster. */
@Command(
        name = BatchJob.COMMAND,
        mixinStandardHelpOptions = true,
        versionProvider = BuildInfo.class,
        description =
                "Answer all questions of a file on a Spark cluster. An interrupted job resumes when started again."
                        + " Paths are those that driver and executors see; each shard has its number in its name.")
public final class BatchJob implements Callable<Integer> {
    static final String COMMAND = "spark-submit --class io.llava4j.spark.BatchJob llava4j-spark.jar";

    private static final int MAX_SHARDS = 100_000;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private BatchOptions options = new BatchOptions();

    @Option(names = "--shards", paramLabel = "N", description = "Number of files (default: ${DEFAULT-VALUE}).")
    private int shards = 16;

    @Option(
            names = "--max-failures",
            paramLabel = "N",
            description = "Succeed with up to N failed records; all are tried (default: ${DEFAULT-VALUE}).")
    private int maxFailures = 0;

    private BatchJob() {}

    @Override
    public Integer call() {
        require(shards >= 1 && shards <= MAX_SHARDS, "--shards must be from 1 to %d, not %d", MAX_SHARDS, shards);
        require(maxFailures >= 0, "--max-failures must be 0 or more, not %d", maxFailures);
        BatchArguments arguments = arguments();
        BatchSummary summary;
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("llava batch"))) {
            summary = SparkBatch.run(
                    spark,
                    arguments,
                    shards,
                    line -> spec.commandLine().getErr().println("llava: " + line));
        }
        spec.commandLine().getOut().println(JsonMapper.builder().build().writeValueAsString(summary));
        return summary.complete() && summary.failed() <= maxFailures
                ? CommandLine.ExitCode.OK
                : CommandLine.ExitCode.SOFTWARE;
    }

    /** What the executors are told. */
    BatchArguments arguments() {
        return BatchArguments.of(options, spec.commandLine().getParseResult());
    }

    private void require(boolean condition, String message, Object... values) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message.formatted(values));
        }
    }

    /** The command line, without options for GPUs: the jar does not hold the tensor engine. */
    static CommandLine commandLine() {
        CommandLine command = JobCommand.of(new BatchJob());
        CommandSpec spec = command.getCommandSpec();
        spec.remove(spec.findOption("--device"));
        spec.remove(spec.findOption("--precision"));
        return command;
    }

    /** Answers the file and prints what became of its records; the exit code is 0 on success. */
    public static void main(String[] args) {
        JobCommand.run(commandLine(), args);
    }
}
