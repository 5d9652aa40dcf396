package io.llava4j.app.cli;

import io.llava4j.app.bench.LoadBench;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench load}. */
@Command(
        name = "load",
        description =
                "Load a server with more clients than it answers, or with few for long: counts answers, refusals and"
                        + " losses, and shows memory; exit code 1 if a request was lost.")
final class BenchLoadCommand implements Callable<Integer> {
    private static final int OVERLOAD = 10;
    private static final int SHOWN_FAILURES = 5;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private MeasuredModel model = new MeasuredModel();

    @Option(
            names = "--clients",
            paramLabel = "N",
            description = "Clients that ask at the same time; 0 for ten times as many as are answered or wait (default:"
                    + " ${DEFAULT-VALUE}).")
    private int clients;

    @Option(names = "--seconds", paramLabel = "N", description = "How long they ask (default: ${DEFAULT-VALUE}).")
    private int seconds = 60;

    @Option(names = "--parallel", paramLabel = "N", description = "As of llava serve (default: ${DEFAULT-VALUE}).")
    private int parallel = 4;

    @Option(names = "--queue", paramLabel = "N", description = "As of llava serve (default: ${DEFAULT-VALUE}).")
    private int queue = 16;

    @Option(names = "--new-tokens", paramLabel = "N", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int newTokens = 64;

    private BenchLoadCommand() {}

    @Override
    public Integer call() {
        if (clients < 0 || seconds < 1 || parallel < 1 || queue < 1 || newTokens < 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--seconds, --parallel, --queue and --new-tokens are 1 or more, --clients 0 or more");
        }
        int asking = clients == 0 ? OVERLOAD * (parallel + queue) : clients;
        PrintWriter out = spec.commandLine().getOut();
        LoadBench.Result result =
                LoadBench.run(out, model.path(), new LoadBench.Options(asking, seconds, parallel, queue, newTokens));
        out.printf(
                "%,d clients: %,d requests answered, %,d refused, the slowest after %.3f s; %d failed, %d accepted ones lost%n",
                asking,
                result.answered(),
                result.refused(),
                result.slowestRefusal(),
                result.failures().size(),
                result.lost());
        result.failures().stream().limit(SHOWN_FAILURES).forEach(out::println);
        out.flush();
        return result.isClean() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }
}
