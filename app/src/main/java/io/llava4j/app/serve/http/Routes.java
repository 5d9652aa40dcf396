package io.llava4j.app.serve.http;

import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The paths of a server, what answers them, and what holds for all of them: access, errors, counting. */
public final class Routes {
    private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

    /** Answers a request. */
    @FunctionalInterface
    public interface Endpoint {
        /** @throws RuntimeException of any kind; {@link Failures} says what the client is told */
        void answer(Exchange exchange);
    }

    private record Route(Method method, String path, ErrorFormat errors, boolean open, Endpoint endpoint) {}

    private final AccessRules access;
    private final long maxBody;
    private final BodyBudget memory;
    private final RequestCounts counts;
    private final List<Route> routes = new ArrayList<>();
    private final Map<String, ErrorFormat> prefixes = new TreeMap<>();
    private volatile boolean draining;

    /** @param maxBody largest body in bytes */
    public Routes(AccessRules access, long maxBody, BodyBudget memory, RequestCounts counts) {
        this.access = access;
        this.maxBody = maxBody;
        this.memory = memory;
        this.counts = counts;
    }

    /** Unknown paths that begin so are reported in this format. */
    public Routes errorsBelow(String prefix, ErrorFormat errors) {
        prefixes.put(prefix, errors);
        return this;
    }

    /** A path that is read. */
    public Routes get(String path, ErrorFormat errors, Endpoint endpoint) {
        routes.add(new Route(Method.GET, path, errors, false, endpoint));
        return this;
    }

    /** A path that is read without a key. */
    public Routes open(String path, ErrorFormat errors, Endpoint endpoint) {
        routes.add(new Route(Method.GET, path, errors, true, endpoint));
        return this;
    }

    /** A path that answers a body. */
    public Routes post(String path, ErrorFormat errors, Endpoint endpoint) {
        routes.add(new Route(Method.POST, path, errors, false, endpoint));
        return this;
    }

    /** Refuses all further requests. */
    public void drain() {
        draining = true;
    }

    /** The routing of the web server. */
    public HttpRouting.Builder routing() {
        HttpRouting.Builder routing = HttpRouting.builder();
        for (Route route : routes) {
            routing.route(route.method(), route.path(), (request, response) -> handle(route, request, response));
        }
        for (Route route : routes) {
            routing.any(route.path(), (request, response) -> otherMethod(route, request, response));
        }
        routing.any((request, response) -> handle(unknown(request), request, response));
        return routing;
    }

    /** How errors about a path are reported, known or not. */
    public ErrorFormat errorsOf(String path) {
        ErrorFormat errors = prefixes.get("/");
        for (Map.Entry<String, ErrorFormat> prefix : prefixes.entrySet()) {
            errors = path.startsWith(prefix.getKey()) ? prefix.getValue() : errors; // longer ones come later
        }
        if (errors == null) {
            throw new IllegalStateException("no format of errors for /");
        }
        return errors;
    }

    /** Identifies a request. */
    public static String newId() {
        return "req_" + UUID.randomUUID().toString().replace("-", "");
    }

    private Route unknown(ServerRequest request) {
        ErrorFormat errors = errorsOf(request.path().path());
        return new Route(request.prologue().method(), "other", errors, false, exchange -> {
            throw new ApiException(
                    ApiException.Kind.NOT_FOUND, "there is no such path; docs/serving.md lists the server's paths");
        });
    }

    private void otherMethod(Route route, ServerRequest request, ServerResponse response) {
        Method method = request.prologue().method();
        Endpoint endpoint;
        if (method.equals(Method.OPTIONS)) {
            endpoint = exchange -> {
                AccessRules.preflight(request, response);
                exchange.sendEmpty(204);
            };
        } else if (method.equals(Method.HEAD) && route.method().equals(Method.GET)) {
            endpoint = route.endpoint();
        } else {
            endpoint = exchange -> {
                String allowed = route.method().text();
                exchange.header("Allow", allowed);
                throw new ApiException(
                        ApiException.Kind.METHOD_NOT_ALLOWED, "this path answers %s only".formatted(allowed));
            };
        }
        boolean open = route.open() || method.equals(Method.OPTIONS); // a browser sends no key with it
        handle(new Route(method, route.path(), route.errors(), open, endpoint), request, response);
    }

    private void handle(Route route, ServerRequest request, ServerResponse response) {
        long start = System.nanoTime();
        String id = newId();
        response.header("x-request-id", id);
        response.header("request-id", id);
        response.header("X-Content-Type-Options", "nosniff");
        counts.begin();
        try (BodyBudget.Share share = memory.share()) {
            Exchange exchange = new Exchange(request, response, id, maxBody, share);
            try {
                answer(route, exchange, request, response);
                if (!exchange.isStreamed()) {
                    exchange.closeIfLast();
                }
            } catch (ClientGoneException e) {
                LOG.debug("{}: the client is gone", id);
                throw new CloseConnectionException("the client is gone", e);
            } finally {
                counts.end(route.path(), exchange.status());
                LOG.debug(
                        "{} {} {} {} in {} ms",
                        id,
                        route.method().text(),
                        route.path(),
                        exchange.status(),
                        (System.nanoTime() - start) / 1_000_000);
            }
        }
    }

    private void answer(Route route, Exchange exchange, ServerRequest request, ServerResponse response) {
        try {
            access.checkOrigin(request, response);
            if (!route.open()) {
                access.checkKey(request);
            }
            if (draining) {
                throw ApiException.retryAfter(ApiException.Kind.UNAVAILABLE, "the server is shutting down", 5);
            }
            route.endpoint().answer(exchange);
        } catch (ClientGoneException e) {
            throw e;
        } catch (RuntimeException | OutOfMemoryError e) {
            ApiException failure = Failures.of(e);
            if (failure.kind() == ApiException.Kind.INTERNAL) {
                LOG.error("{}: {}", exchange.id(), failure.getMessage(), failure.getCause());
            }
            if (!exchange.hasBegun()) {
                exchange.fail(failure, route.errors());
            }
        }
    }
}
