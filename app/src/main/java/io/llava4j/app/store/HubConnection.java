package io.llava4j.app.store;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * GET requests to a hub. Redirects are followed by hand, so that the token goes to the hub itself and nowhere else, and
 * nothing that began encrypted goes on in clear.
 *
 * @param endpoint such as {@code https://huggingface.co}
 * @param token sent to the hub; null for none
 */
record HubConnection(URI endpoint, @Nullable String token) {
    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
    private static final int MAX_REDIRECTS = 8;
    private static final int CONNECT_MILLIS = 20_000;
    private static final int READ_MILLIS = 60_000;

    /**
     * The hub that the variables {@code HF_ENDPOINT} and {@code HF_TOKEN} name.
     *
     * @throws ConfigException if one cannot be used
     */
    static HubConnection of(Map<String, String> environment) {
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "").strip();
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        if (!token.matches("[!-~]*")) {
            throw new ConfigException("HF_TOKEN has characters that a token cannot have; copy it again");
        }
        return new HubConnection(
                uri(endpoint.isEmpty() ? DEFAULT_ENDPOINT : endpoint.replaceAll("/+$", "")),
                token.isEmpty() ? null : token);
    }

    private static URI uri(String endpoint) {
        try {
            URI uri = new URI(endpoint);
            if (uri.getHost() != null && isHttp(uri)) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new ConfigException(
                "HF_ENDPOINT '%s' is no address; %s is an example".formatted(endpoint, DEFAULT_ENDPOINT));
    }

    /**
     * The response to a GET, redirects followed; its body is unread.
     *
     * @param path after the endpoint, encoded
     * @param from first byte wanted; 0 for all
     * @throws IOException if the connection fails
     * @throws LlavaException if a redirect is refused
     */
    HttpURLConnection get(String path, long from) throws IOException {
        URI at = URI.create(endpoint + path);
        for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
            HttpURLConnection connection = open(at, from);
            int status = connection.getResponseCode();
            String location = connection.getHeaderField("Location");
            if (status < 301 || status > 308 || status == 304 || location == null) {
                return connection;
            }
            connection.disconnect();
            at = next(at, location);
        }
        throw new LlavaException("%s redirects again and again; check HF_ENDPOINT".formatted(endpoint));
    }

    private HttpURLConnection open(URI at, long from) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) at.toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(READ_MILLIS);
        connection.setRequestProperty("User-Agent", "llava4j");
        connection.setRequestProperty("Accept-Encoding", "identity");
        if (from > 0) {
            connection.setRequestProperty("Range", "bytes=" + from + "-");
        }
        if (token != null && isHub(at)) {
            connection.setRequestProperty("Authorization", "Bearer " + token);
        }
        return connection;
    }

    private URI next(URI at, String location) {
        URI to;
        try {
            to = at.resolve(new URI(location));
        } catch (URISyntaxException e) {
            throw new LlavaException("%s redirects to '%s', which is no address".formatted(at.getHost(), location), e);
        }
        if (to.getHost() == null || !isHttp(to) || (isEncrypted(at) && !isEncrypted(to))) {
            throw new LlavaException(
                    "%s redirects to %s, which is not encrypted or no web address; nothing was sent there"
                            .formatted(at.getHost(), to));
        }
        return to;
    }

    private boolean isHub(URI at) {
        return endpoint.getScheme().equalsIgnoreCase(at.getScheme())
                && endpoint.getHost().equalsIgnoreCase(Objects.requireNonNull(at.getHost()))
                && endpoint.getPort() == at.getPort();
    }

    private static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || isEncrypted(uri);
    }

    private static boolean isEncrypted(URI uri) {
        return "https".equalsIgnoreCase(uri.getScheme());
    }
}
