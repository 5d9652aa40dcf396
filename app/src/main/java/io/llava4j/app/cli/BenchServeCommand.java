package io.llava4j.app.cli;

import io.llava4j.app.bench.ServeBench;
import java.net.URI;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
                        + " the first token and between tokens, beside the same load answered one by one, and the time to the first token of a second"
                        + " question about an image.")
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

    @Option(
            names = "--against",
            paramLabel = "URL",
            description =
                    "A running server of OpenAI's API, for example http://127.0.0.1:8081, that is given the same load"
                            + " in turns; it should serve the same model to as many clients.")
    private @Nullable URI against;

    private BenchServeCommand() {}

    @Override
    public Integer call() {
        if (clients.stream().anyMatch(n -> n < 1) || requests < 1 || newTokens < 1 || imageSize < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--clients, --requests, --new-tokens and --image-size are 1 or more");
        }
        if (against != null
                && (against.getHost() == null
                        || !String.valueOf(against.getScheme()).matches("https?"))) {
            throw new ParameterException(
                    spec.commandLine(), "--against is the address of a server, for example http://127.0.0.1:8081");
        }
        ServeBench.run(
                spec.commandLine().getOut(),
                model.path(),
                new ServeBench.Options(clients, requests, newTokens, imageSize, against));
        return CommandLine.ExitCode.OK;
    }
}
