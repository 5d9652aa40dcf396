package io.llava4j.app.serve;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http1.Http1Config;
import io.llava4j.ConfigException;
import io.llava4j.app.serve.anthropic.AnthropicApi;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.BodyBudget;
import io.llava4j.app.serve.http.Connections;
import io.llava4j.app.serve.http.ErrorFormat;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.RequestCounts;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.ollama.OllamaApi;
import io.llava4j.app.serve.openai.OpenAiApi;
import io.llava4j.app.serve.request.ServedModel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The HTTP server: it answers before its model is loaded, and finishes what it has begun before it stops. */
public final class LlavaServer implements AutoCloseable {
    private static final int MAX_CONNECTIONS = 1024;
    private static final int MAX_HEADER_BYTES = 1 << 14;

    /** Tells of starts and stops, which this program does itself; a logger that nobody holds forgets its level. */
    private static final Logger HELIDON = Logger.getLogger("io.helidon");

    /** Logs what is wrong with requests, with a stack trace for each; {@link Routes} logs what is wrong with this program. */
    private static final Logger HELIDON_CONNECTIONS = Logger.getLogger("io.helidon.webserver.http1.Http1Connection");

    static {
        HELIDON.setLevel(Level.WARNING);
        HELIDON_CONNECTIONS.setLevel(Level.SEVERE);
    }

    private final WebServer server;
    private final Routes routes;
    private final RequestCounts counts;

    private LlavaServer(WebServer server, Routes routes, RequestCounts counts) {
        this.server = server;
        this.routes = routes;
        this.counts = counts;
    }

    /**
     * Starts a server.
     *
     * @param model may still be loading; the caller closes it after the server
     * @param version of this program
     * @throws ConfigException if the address is in use or not of this machine
     */
    public static LlavaServer start(ServerOptions options, ServedModel model, String version) {
        RequestCounts counts = new RequestCounts();
        BodyBudget memory =
                new BodyBudget(Math.max(options.maxBody(), Runtime.getRuntime().maxMemory() / 4));
        Routes routes = new Routes(options.access(), options.maxBody(), memory, counts);
        OwnApi.addTo(routes, model, counts, version);
        Page.addTo(routes);
        OpenAiApi.addTo(routes, model);
        AnthropicApi.addTo(routes, model);
        OllamaApi.addTo(routes, model, version);
        InetSocketAddress address = new InetSocketAddress(options.address(), options.port());
        WebServer server = WebServer.builder()
                .shutdownHook(false)
                .featuresDiscoverServices(false)
                .protocolsDiscoverServices(false)
                .bindAddress(address)
                .maxTcpConnections(MAX_CONNECTIONS)
                .connectionOptions(socket -> socket.tcpNoDelay(true))
                .addProtocol(Http1Config.builder()
                        .maxHeadersSize(MAX_HEADER_BYTES)
                        .addReceiveListener(new Connections())
                        .build())
                .directHandlers(malformed(routes))
                .routing(routes.routing())
                .build();
        try {
            server.start();
        } catch (RuntimeException e) {
            throw new ConfigException(
                    "the server cannot listen on %s port %d (%s); choose another --port or --host"
                            .formatted(options.address().getHostAddress(), options.port(), rootMessage(e)),
                    e);
        }
        return new LlavaServer(server, routes, counts);
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** What the web server refuses itself, because it is no HTTP request that it can read, gets an error of this server's as well. */
    private static DirectHandlers malformed(Routes routes) {
        DirectHandler handler = (request, type, status, headers, message) -> {
            ApiException failure = failure(request, type, status);
            String id = Routes.newId();
            ErrorFormat format = routes.errorsOf(request.path());
            return DirectHandler.TransportResponse.builder()
                    .status(Status.create(
                            failure.kind() == ApiException.Kind.INVALID && !isInternal(type)
                                    ? status.code()
                                    : format.status(failure.kind())))
                    .headers(headers)
                    .header(HeaderNames.CONTENT_TYPE, "application/json")
                    .header(HeaderNames.create("x-request-id"), id)
                    .header(HeaderNames.create("request-id"), id)
                    .keepAlive(false)
                    .entity(Json.bytes(format.body(failure, id)))
                    .build();
        };
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, handler);
        }
        return handlers.build();
    }

    private static boolean isInternal(DirectHandler.EventType type) {
        return type == DirectHandler.EventType.INTERNAL_ERROR;
    }

    private static ApiException failure(
            DirectHandler.TransportRequest request, DirectHandler.EventType type, Status status) {
        if (type == DirectHandler.EventType.HTTP_VERSION_NOT_SUPPORTED) {
            return new ApiException(
                    ApiException.Kind.INVALID,
                    "this server speaks HTTP/1.1; send the request as HTTP/1.1, with a Host");
        }
        if (isInternal(type) && !request.path().isEmpty()) { // without a path it could not even be read
            return new ApiException(ApiException.Kind.INTERNAL, "the server failed on this request; its log says why");
        }
        if (request.headers().contains(HeaderNames.CONTENT_ENCODING)) {
            return Exchange.compressed();
        }
        return new ApiException(
                ApiException.Kind.INVALID,
                "the request is not well-formed HTTP"
                        + (isInternal(type) ? "; send it as HTTP/1.1" : ": " + status.reasonPhrase()));
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /**
     * Refuses new requests and waits for those that are being answered.
     *
     * @param longest time to wait
     */
    public void drain(Duration longest) {
        routes.drain();
        long end = System.nanoTime() + longest.toNanos();
        try {
            while (counts.active() > 0 && System.nanoTime() < end) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        server.stop();
    }
}
