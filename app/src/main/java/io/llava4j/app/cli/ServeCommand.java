package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.serve.LlavaServer;
import io.llava4j.app.serve.ServerOptions;
import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.app.serve.request.ImageLimits;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.generate.schedule.Scheduler;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava serve}: answers over HTTP. */
@Command(
        name = "serve",
        description = "Serve a model over the APIs of OpenAI, Anthropic and Ollama, with a page to chat with it.",
        footer = {
            "",
            "Options that are not given come from the environment, LLAVA_PORT for --port, LLAVA_MAX_IMAGES for",
            "--max-images and so on, else from the file of --config. Paths and examples: docs/serving.md"
        })
final class ServeCommand implements Callable<Integer> {
    private static final Duration DRAIN = Duration.ofSeconds(30);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML file of these options, without their dashes: 'max-images: 4' (default: none).")
    @SuppressWarnings("UnusedVariable") // SettingDefaults reads it
    private @Nullable Path config;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description =
                    "Address to listen on; 0.0.0.0 for all, which needs --api-key-file to be safe (default: ${DEFAULT-VALUE}).")
    private String host = ServerOptions.HOST;

    @Option(names = "--port", paramLabel = "N", description = "Port; 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int port = ServerOptions.PORT;

    @Option(
            names = "--alias",
            split = ",",
            paramLabel = "NAME",
            description = "Name of the model for clients; repeatable (default: name of its folder).")
    private List<String> aliases = new ArrayList<>();

    @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description = "File with a key on each line; clients must send one (default: everybody is let in).")
    private @Nullable Path apiKeyFile;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Answers that are decoded at the same time (default: ${DEFAULT-VALUE}).")
    private int parallel = 4;

    @Option(
            names = "--queue",
            paramLabel = "N",
            description = "Requests that wait; more are refused with 429 (default: ${DEFAULT-VALUE}).")
    private int queue = 64;

    @Option(
            names = "--context",
            paramLabel = "N",
            description =
                    "Longest prompt with its answer in tokens; 0 for the model's own limit (default: ${DEFAULT-VALUE}).")
    private int context = 0;

    @Option(
            names = "--cache-ram",
            paramLabel = "SIZE",
            converter = ByteSize.class,
            description =
                    "Memory that keeps images and prompts for later requests, such as 512M or 2G (default: ${DEFAULT-VALUE}).")
    private Long cacheRam = 1L << 30;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Longest time from a request to the end of its answer (default: ${DEFAULT-VALUE}).")
    private int timeout = 600;

    @Option(
            names = "--max-image-bytes",
            paramLabel = "SIZE",
            converter = ByteSize.class,
            description = "Largest image file, such as 8M (default: ${DEFAULT-VALUE}).")
    private Long maxImageBytes = 8L << 20;

    @Option(names = "--max-images", paramLabel = "N", description = "Images of a request (default: ${DEFAULT-VALUE}).")
    private int maxImages = 8;

    @Option(
            names = "--allow-image-urls",
            description =
                    "Fetch images from http and https addresses on the public internet; otherwise these are refused.")
    private boolean allowImageUrls;

    @Option(
            names = "--cors",
            split = ",",
            paramLabel = "ORIGIN",
            description =
                    "A site whose pages may use this server, such as https://example.com, or * for all; repeatable (default: none).")
    private List<String> cors = new ArrayList<>();

    private ServeCommand() {}

    /** Gives the options of the verb their defaults from the environment and a settings file. */
    static void readSettings(CommandLine root, Map<String, String> environment) {
        CommandLine serve = Objects.requireNonNull(root.getSubcommands().get("serve"));
        serve.setDefaultValueProvider(new SettingDefaults(serve, environment));
    }

    @Override
    public Integer call() {
        model.check();
        ServerOptions options = options();
        Scheduler.Limits limits = new Scheduler.Limits(parallel, queue, context, cacheRam, Duration.ofSeconds(timeout));
        PrintWriter err = spec.commandLine().getErr();
        if (!options.address().isLoopbackAddress() && options.access().keys().isOpen()) {
            err.println("llava: everybody who reaches " + host + " may use this server; --api-key-file asks for a key");
        }
        try (ServedModel served = new ServedModel(model.names(aliases), options.images(), model.orientation());
                LlavaServer server = LlavaServer.start(options, served, BuildInfo.version());
                StopSignal stop = new StopSignal(err, "the end of the running answers")) {
            String address = "http://" + shown(options.address()) + ":" + server.port();
            err.println("llava: listening on %s%s; loading %s"
                    .formatted(
                            address,
                            options.address().isAnyLocalAddress() ? " and on all other addresses of this machine" : "",
                            model.directory()));
            err.flush();
            CompletableFuture<Void> loading = CompletableFuture.runAsync(
                    () -> served.load(() -> model.serve(limits)),
                    task -> Thread.ofPlatform().daemon().name("llava-loading").start(task));
            boolean announced = false;
            while (!stop.getAsBoolean()) {
                if (loading.isDone() && !announced) {
                    announced = true;
                    join(loading);
                    err.println("llava: ready; open " + address + " to chat");
                    err.flush();
                }
                sleep();
            }
            server.drain(DRAIN);
        }
        return CommandLine.ExitCode.OK;
    }

    private static void join(CompletableFuture<Void> loading) {
        try {
            loading.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw e;
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ServerOptions options() {
        require(port >= 0 && port <= 65_535, "--port is a number from 0 to 65535");
        require(parallel >= 1 && queue >= 1, "--parallel and --queue are 1 or more");
        require(context >= 0, "--context is 0 or more");
        require(timeout >= 1, "--timeout is 1 or more");
        require(maxImages >= 0, "--max-images is 0 or more");
        require(maxImageBytes >= 1 && maxImageBytes <= 64L << 20, "--max-image-bytes is from 1 to 64M");
        require(
                cors.stream().allMatch(ServeCommand::isOrigin),
                "--cors is an origin such as https://example.com, or *");
        InetAddress address;
        try {
            address = InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ConfigException("--host %s is no address of this machine".formatted(host), e);
        }
        ApiKeys keys = apiKeyFile == null ? ApiKeys.NONE : ApiKeys.read(apiKeyFile);
        return new ServerOptions(
                address,
                port,
                new AccessRules(keys, cors, address.isLoopbackAddress()),
                new ImageLimits(maxImageBytes.intValue(), maxImages, allowImageUrls),
                Duration.ofSeconds(timeout));
    }

    private static boolean isOrigin(String origin) {
        return origin.equals("*") || origin.matches("https?://[^/\\s]+");
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    /** An address that a browser on this machine can open: no program can connect to 0.0.0.0 or :: everywhere. */
    static String shown(InetAddress address) {
        String name = address.isAnyLocalAddress() ? "127.0.0.1" : address.getHostAddress();
        return name.contains(":") ? "[" + name + "]" : name;
    }
}
