package io.llava4j.spark;

import io.llava4j.LlavaException;
import io.llava4j.train.batch.BatchSummary;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** A main class for {@code spark-submit}: {@code llava batch} on a cluster. */
@Command(
        name = "llava4j-spark.jar",
        mixinStandardHelpOptions = true,
        description =
                "Answer all questions of a file on a Spark cluster. An interrupted job resumes when started again.")
public final class BatchJob implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private BatchJobOptions options = new BatchJobOptions();

    private final BatchArguments arguments;

    private BatchJob(String... args) {
        this.arguments = BatchArguments.of(args);
    }

    @Override
    public Integer call() {
        BatchSummary summary;
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("llava batch"))) {
            summary = SparkBatch.run(
                    spark, arguments, line -> spec.commandLine().getErr().println("llava: " + line));
        }
        spec.commandLine().getOut().println(JsonMapper.builder().build().writeValueAsString(summary));
        return summary.complete() && options.accepts(summary.failed())
                ? CommandLine.ExitCode.OK
                : CommandLine.ExitCode.SOFTWARE;
    }

    private static int explain(Exception e, CommandLine command, CommandLine.ParseResult arguments) throws Exception {
        if (e instanceof LlavaException) {
            command.getErr().println("llava: " + e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
        throw e;
    }

    /** Answers the file and prints what became of its records; the exit code is 0 on success. */
    public static void main(String[] args) {
        int code = new CommandLine(new BatchJob(args))
                .setExecutionExceptionHandler(BatchJob::explain)
                .execute(args);
        if (code != 0) {
            System.exit(code);
        }
    }
}
