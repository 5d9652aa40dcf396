package io.llava4j.app.cli;

import io.llava4j.LlavaException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The {@code llava} command. Results go to stdout, logs and progress to stderr; the exit code is 0 for success, 1 for a
 * failure and 2 for a command line that cannot be understood.
 */
@Command(
        name = "llava",
        description = "LLaVA-1.5 in Java: data, training, evaluation and chat.",
        synopsisSubcommandLabel = "VERB",
        versionProvider = BuildInfo.class,
        footer = {"", "Run llava VERB --help for the options of a verb."})
public final class Main implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show version, commit and JDK.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean version;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces and debug logs.")
    private boolean debug;

    private Main() {}

    /** Runs the command line and exits the JVM with its exit code. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command line with all verbs, its own error handling and a grouped help. */
    static CommandLine commandLine() {
        Main main = new Main();
        CommandLine commandLine = new CommandLine(main);
        Verbs.addTo(commandLine);
        GenerateCommand.allowPromptsLikeOptions(commandLine);
        LaunchCommand.leaveOptionsToTrain(commandLine);
        ServeCommand.readSettings(commandLine, System.getenv());
        commandLine
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // a prompt may begin with @
                .setExecutionStrategy(main::execute)
                .setParameterExceptionHandler(Errors::usage)
                .setExecutionExceptionHandler((failure, failed, parsed) -> Errors.failure(failure, failed, main.debug));
        return commandLine;
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a verb is missing");
    }

    private int execute(CommandLine.ParseResult parsed) {
        if (debug) {
            System.setProperty("llava.log.level", "DEBUG"); // read by logback.xml at the first log line
        }
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (OutOfMemoryError e) {
            throw new LlavaException(
                    "the Java heap of %d MiB is full; give it more with LLAVA_JAVA_OPTS=-Xmx8g"
                            .formatted(Runtime.getRuntime().maxMemory() >> 20),
                    e);
        }
    }
}
