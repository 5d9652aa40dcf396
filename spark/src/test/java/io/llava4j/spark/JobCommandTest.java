package io.llava4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.DataException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What all jobs have in common: 2 for a wrong command line, 1 for a failure, one sentence for each. */
class JobCommandTest {
    private final StringWriter err = new StringWriter();

    static Stream<CommandLine> jobs() {
        return Stream.of(MixtureJob.commandLine(), LaunchJob.commandLine(), BatchJob.commandLine());
    }

    private int run(CommandLine command, String... arguments) {
        return command.setErr(new PrintWriter(err, true)).execute(arguments);
    }

    private int failing(RuntimeException failure, String... arguments) {
        @Command(name = "job")
        record Failing(RuntimeException failure) implements Callable<Integer> {
            @Override
            public Integer call() {
                throw failure;
            }
        }
        return run(JobCommand.of(new Failing(failure)), arguments);
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void aWrongCommandLineIsOneSentence(CommandLine job) {
        assertThat(run(job, "--shard5")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString())
                .startsWith("llava: ")
                .contains("Try 'spark-submit ", "llava4j-spark.jar --help'")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void helpNamesTheCommandThatSubmitsTheJob(CommandLine job) {
        String name = job.getCommand().getClass().getName();
        String main = job.getCommand() instanceof MixtureJob ? "" : " --class " + name; // the manifest names that one
        assertThat(job.getUsageMessage())
                .startsWith("Usage: spark-submit" + main + " llava4j-spark.jar")
                .contains("--debug");
        StringWriter out = new StringWriter();
        assertThat(job.setOut(new PrintWriter(out)).execute("--version")).isZero();
        assertThat(out.toString()).contains("llava4j ");
    }

    @Test
    void optionsOutOfRangeAreWrongCommandLines() {
        for (String[] arguments : List.of(
                new String[] {"in.jsonl", "-m", "model", "-o", "out.jsonl", "--shards", "0"},
                new String[] {"in.jsonl", "-m", "model", "-o", "out.jsonl", "--max-failures", "-1"})) {
            assertThat(run(BatchJob.commandLine(), arguments)).isEqualTo(CommandLine.ExitCode.USAGE);
        }
        assertThat(run(LaunchJob.commandLine(), "-n", "0", "train", "recipe.yaml"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run(LaunchJob.commandLine(), "-n", "2", "eval")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run(MixtureJob.commandLine(), "recipe.yaml", "-o", "out", "--shards", "0"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString())
                .contains(
                        "--shards must be from 1 to 100000, not 0",
                        "--max-failures must be 0 or more, not -1",
                        "only train can")
                .hasLineCount(5);
    }

    /** Executors answer on the CPU. */
    @Test
    void thereAreNoOptionsForGpus() {
        assertThat(run(BatchJob.commandLine(), "in.jsonl", "-m", "m", "-o", "o.jsonl", "--device", "cuda:0"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--device");
        assertThat(BatchJob.commandLine().getUsageMessage()).doesNotContain("--device", "--precision");
    }

    @Test
    void aFailureIsOneSentenceAndAStackTraceWithDebugOnly() {
        assertThat(failing(new DataException("in.jsonl cannot be read"))).isEqualTo(CommandLine.ExitCode.SOFTWARE);
        assertThat(err.toString()).isEqualTo("llava: in.jsonl cannot be read" + System.lineSeparator());
        err.getBuffer().setLength(0);
        assertThat(failing(new IllegalStateException("a bug"))).isEqualTo(CommandLine.ExitCode.SOFTWARE);
        assertThat(err.toString())
                .contains("internal error", "a bug", "--debug")
                .hasLineCount(1);
        err.getBuffer().setLength(0);
        assertThat(failing(new DataException("in.jsonl cannot be read"), "--debug"))
                .isEqualTo(CommandLine.ExitCode.SOFTWARE);
        assertThat(err.toString())
                .startsWith("llava: in.jsonl")
                .contains("\tat " + getClass().getName());
    }

    @Test
    void aRecipeThatIsNotThereIsAFailure() {
        assertThat(run(MixtureJob.commandLine(), "/no/recipe.yaml", "-o", "out"))
                .isEqualTo(CommandLine.ExitCode.SOFTWARE);
        assertThat(err.toString())
                .startsWith("llava: ")
                .contains("/no/recipe.yaml")
                .hasLineCount(1);
    }
}
