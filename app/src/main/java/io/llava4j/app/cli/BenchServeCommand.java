package io.llava4j.app.cli;

import io.llava4j.app.bench.ServeBench;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench serve}. */
@Command(
        name = "serve",
        description =
                "Measure many clients of one model on the CPU, with and without images: tokens per second, time to"
                        + " the first token and between tokens, beside the same load answered one by one.")
final class BenchServeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private MeasuredModel model = new MeasuredModel();

    @Option(
            names = "--clients",
            split = ",",
            paramLabel = "N",
            description = "Numbers of clients, with commas (default: ${DEFAULT-VALUE}).")
    private List<Integer> clients = List.of(1, 4, 16);

    @Option(names = "--requests", paramLabel = "N", description = "Of each client (default: ${DEFAULT-VALUE}).")
    private int requests = 8;

    @Option(names = "--new-tokens", paramLabel = "N", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int newTokens = 64;

    @Option(
            names = "--image-size",
            paramLabel = "PIXELS",
            description = "Width and height of the images (default: ${DEFAULT-VALUE}).")
    private int imageSize = 336;

    private BenchServeCommand() {}

    @Override
    public Integer call() {
        if (clients.stream().anyMatch(n -> n < 1) || requests < 1 || newTokens < 1 || imageSize < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--clients, --requests, --new-tokens and --image-size are 1 or more");
        }
        ServeBench.run(
                spec.commandLine().getOut(),
                model.path(),
                new ServeBench.Options(clients, requests, newTokens, imageSize));
        return CommandLine.ExitCode.OK;
    }
}
