package io.llava4j.spark;

import io.llava4j.app.cli.Errors;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The command line of a main class for {@code spark-submit}; messages and exit codes are those of {@code llava}. */
final class JobCommand {
    private static final String DEBUG = "--debug";

    private JobCommand() {}

    /** The command line, with the options that all jobs have. */
    static CommandLine of(Callable<Integer> job) {
        CommandLine command = new CommandLine(job);
        command.getCommandSpec()
                .addOption(OptionSpec.builder(DEBUG)
                        .description("Show stack traces.")
                        .build());
        return command.setExpandAtFiles(false) // a prompt may begin with @
                .setParameterExceptionHandler(Errors::usage)
                .setExecutionExceptionHandler(
                        (failure, failed, parsed) -> Errors.failure(failure, failed, parsed.hasMatchedOption(DEBUG)));
    }

    /** Runs the job; unless it succeeds, its exit code ends the process. */
    static void run(CommandLine command, String[] args) {
        int code = command.execute(args);
        if (code != CommandLine.ExitCode.OK) {
            System.exit(code);
        }
    }
}
