package io.llava4j.app.serve.request;

import io.llava4j.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Fetches images from public addresses. A name is resolved once, every address that it has must be public, and the connection
 * goes to the address that was checked; redirects are checked in the same way. Size and time are bounded. It speaks HTTP/1.1
 * itself, because the JDK's clients resolve names on their own.
 */
final class RemoteImages {
    private static final int MAX_REDIRECTS = 3;
    private static final int MAX_HEADER_BYTES = 1 << 14;
    private static final int CHUNK = 1 << 14;
    private static final Duration TIME = Duration.ofSeconds(10);

    /** Finds the addresses of a name. */
    @FunctionalInterface
    interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private final Resolver names;
    private final Predicate<InetAddress> allowed;
    private final Duration time;

    RemoteImages() {
        this(InetAddress::getAllByName, PublicAddresses::isPublic, TIME);
    }

    /**
     * Tests have names and addresses of their own.
     *
     * @param time for one image, redirects included
     */
    RemoteImages(Resolver names, Predicate<InetAddress> allowed, Duration time) {
        this.names = names;
        this.allowed = allowed;
        this.time = time;
    }

    /** Bytes that a download takes at most: a buffer and the copy that it becomes. */
    static long memory(int maxBytes) {
        return 2L * maxBytes;
    }

    /**
     * The file at an address.
     *
     * @throws DataException if it cannot be fetched, in one sentence
     */
    byte[] fetch(String url, int maxBytes) {
        long deadline = System.nanoTime() + time.toNanos();
        String next = url;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            URI uri = checked(next);
            try (Socket socket = connect(uri, deadline)) {
                Response response = Response.read(uri, socket, deadline, maxBytes);
                if (response.location == null) {
                    return response.body;
                }
                next = uri.resolve(response.location).toString();
            } catch (IOException | IllegalArgumentException e) {
                throw new DataException("the image could not be fetched from %s".formatted(uri.getHost()), e);
            }
        }
        throw new DataException("the address redirects more than %d times".formatted(MAX_REDIRECTS));
    }

    private static URI checked(String url) {
        URI uri;
        try {
            uri = URI.create(url);
        } catch (IllegalArgumentException e) {
            throw new DataException("the address is not well formed", e);
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")
                || uri.getHost() == null
                || uri.getRawUserInfo() != null) {
            throw new DataException("the address must be http or https, with a host and without a user");
        }
        return uri;
    }

    private Socket connect(URI uri, long deadline) throws IOException {
        boolean secure = uri.getScheme().equalsIgnoreCase("https");
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80;
        InetAddress address = resolve(uri.getHost());
        Socket plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(address, port), left(deadline));
            plain.setSoTimeout(left(deadline));
            if (!secure) {
                return plain;
            }
            SSLSocket socket = (SSLSocket)
                    ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(plain, uri.getHost(), port, true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return socket;
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    private InetAddress resolve(String host) {
        InetAddress[] addresses;
        try {
            addresses = names.resolve(host);
        } catch (UnknownHostException e) {
            throw new DataException("the host %s is unknown".formatted(host), e);
        }
        for (InetAddress address : addresses) {
            if (!allowed.test(address)) {
                throw new DataException("the host %s is not on the public internet".formatted(host));
            }
        }
        return addresses[0];
    }

    private static int left(long deadline) throws IOException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new IOException("out of time");
        }
        return (int) millis;
    }

    /** @param location of a redirect, else null */
    private record Response(byte[] body, @Nullable String location) {
        static Response read(URI uri, Socket socket, long deadline, int maxBytes) throws IOException {
            String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
            // HTTP/1.0: the body ends with the connection, never in chunks.
            String request = "GET %s%s HTTP/1.0\r\nHost: %s\r\nAccept: image/*\r\nUser-Agent: llava4j\r\n\r\n"
                    .formatted(path, query, uri.getRawAuthority());
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.US_ASCII));
            out.flush();
            InputStream in = socket.getInputStream();
            String[] lines = header(in, socket, deadline).split("\r?\n");
            String[] status = lines[0].split(" ");
            if (!lines[0].startsWith("HTTP/1.") || status.length < 2 || !status[1].matches("[0-9]{3}")) {
                throw new IOException("no HTTP");
            }
            Map<String, String> headers = new HashMap<>();
            for (String line : lines) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    headers.put(
                            line.substring(0, colon).toLowerCase(Locale.ROOT),
                            line.substring(colon + 1).strip());
                }
            }
            String location = headers.get("location");
            if (status[1].startsWith("3") && location != null) {
                return new Response(new byte[0], location);
            }
            if (!status[1].equals("200")) {
                throw new DataException("%s answered %s".formatted(uri.getHost(), status[1]));
            }
            if (headers.containsKey("transfer-encoding") || headers.containsKey("content-encoding")) {
                throw new DataException("%s sent an encoding that was not asked for".formatted(uri.getHost()));
            }
            return new Response(body(in, socket, deadline, maxBytes), null);
        }

        private static String header(InputStream in, Socket socket, long deadline) throws IOException {
            StringBuilder header = new StringBuilder();
            while (!header.toString().endsWith("\r\n\r\n")) {
                socket.setSoTimeout(left(deadline));
                int next = in.read();
                if (next < 0 || header.length() == MAX_HEADER_BYTES) {
                    throw new IOException("the header has no end");
                }
                header.append((char) next);
            }
            return header.toString();
        }

        private static byte[] body(InputStream in, Socket socket, long deadline, int maxBytes) throws IOException {
            byte[] body = new byte[Math.min(maxBytes, CHUNK)];
            int length = 0;
            while (true) {
                socket.setSoTimeout(left(deadline));
                if (length == body.length && length < maxBytes) {
                    body = Arrays.copyOf(body, (int) Math.min(maxBytes, 2L * length));
                }
                int count = length < maxBytes ? in.read(body, length, body.length - length) : in.read() < 0 ? -1 : 1;
                if (count < 0) {
                    return Arrays.copyOf(body, length);
                }
                length += count;
                if (length > maxBytes) {
                    throw new DataException("the image is larger than the limit of %d bytes".formatted(maxBytes));
                }
            }
        }
    }
}
