package io.llava4j.app.serve.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who may ask: a client with a key, and no web page of another site unless its origin is allowed. A server on the loopback
 * address answers to the names of that address only, so that no site can reach it under a name of its own (DNS rebinding).
 *
 * @param keys that clients must present
 * @param origins of other sites whose pages may ask, such as {@code https://example.com}; {@code *} for all
 * @param loopback whether the server listens on the loopback address
 */
public record AccessRules(ApiKeys keys, List<String> origins, boolean loopback) {
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");
    private static final HeaderName API_KEY = HeaderNames.create("x-api-key");
    private static final String BEARER = "bearer ";

    /**
     * Refuses pages and names that are not allowed, and lets allowed pages read the response.
     *
     * @throws ApiException if the request is refused
     */
    void checkOrigin(ServerRequest request, ServerResponse response) {
        ServerRequestHeaders headers = request.headers();
        String host = headers.first(HeaderNames.HOST).orElse("");
        String origin = headers.first(HeaderNames.ORIGIN).orElse(null);
        if (origin != null && isAllowed(origin)) {
            response.header(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origins.contains("*") ? "*" : origin);
            response.header(HeaderNames.VARY, "Origin");
            response.header(HeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "x-request-id, request-id, retry-after");
            return;
        }
        if (loopback && !LOOPBACK_NAMES.contains(name(host))) {
            throw new ApiException(
                    ApiException.Kind.FORBIDDEN,
                    "this server answers to localhost only; start it with --host to be reached under another name");
        }
        if (origin != null && !isSame(origin, host)) {
            throw new ApiException(
                    ApiException.Kind.FORBIDDEN,
                    "pages of other sites may not use this server; allow their origin with --cors");
        }
    }

    /** Says what an allowed page may send. */
    static void preflight(ServerRequest request, ServerResponse response) {
        response.header(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
        request.headers()
                .first(HeaderNames.ACCESS_CONTROL_REQUEST_HEADERS)
                .ifPresent(names -> response.header(HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, names));
        response.header(HeaderNames.ACCESS_CONTROL_MAX_AGE, "600");
    }

    /** @throws ApiException if the request has no valid key and needs one */
    void checkKey(ServerRequest request) {
        if (keys.isOpen()) {
            return;
        }
        String authorization =
                request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
        String key = authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)
                ? authorization.substring(BEARER.length()).strip()
                : request.headers().first(API_KEY).orElse(null);
        if (!keys.accepts(key)) {
            throw new ApiException(
                    ApiException.Kind.UNAUTHENTICATED,
                    key == null
                            ? "this server needs an API key; send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'"
                            : "the API key is wrong; use one of the server's key file");
        }
    }

    private boolean isAllowed(String origin) {
        return origins.contains("*") || origins.stream().anyMatch(origin::equalsIgnoreCase);
    }

    private static boolean isSame(String origin, String host) {
        String authority = authority(origin);
        return authority != null && authority.equalsIgnoreCase(host);
    }

    private static @Nullable String authority(String origin) {
        try {
            return URI.create(origin).getRawAuthority();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Of a host with or without a port. */
    private static String name(String host) {
        int colon = host.lastIndexOf(':');
        String name = colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
        return name.toLowerCase(Locale.ROOT);
    }
}
