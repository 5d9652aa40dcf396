package io.llava4j.app.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A hub on this machine with Hugging Face's interface: it lists files with their hashes, redirects large ones to another
 * host (another name of this machine), answers ranges, and breaks as it is told to.
 */
public final class HubServer implements AutoCloseable {
    private static final int LARGE = 1000;
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private final HttpServer hub;
    private final HttpServer storage;
    private final Map<String, Map<String, byte[]>> repositories = new ConcurrentHashMap<>();

    /** Requests as {@code METHOD path range authorization}, in order; those to the other host begin with {@code storage}. */
    public final List<String> requests = new CopyOnWriteArrayList<>();

    /** The token that must be sent; empty for none. */
    public volatile String token = "";

    /** As many answers to a file break after {@link #breakAfter} bytes. */
    public final AtomicInteger breaks = new AtomicInteger();

    public volatile int breakAfter = 5000;

    /** As many answers to a file have a wrong byte. */
    public final AtomicInteger damages = new AtomicInteger();

    /** Where large files are redirected to; the other host if null. */
    public volatile @Nullable String redirect;

    /** Answers to large files wait after as many bytes until this is set to 0; 0 for never. */
    public volatile int heldAfter;

    /** Whether ranges are ignored, as simple servers do. */
    public volatile boolean wholeFilesOnly;

    public volatile String commit = COMMIT;
    public volatile boolean withoutHashes;

    /** Bytes that large files are said to have beyond what they have. */
    public volatile long announced;

    public HubServer() throws IOException {
        hub = start(this::answer);
        storage = start(exchange -> {
            note("storage ", exchange);
            file(exchange, exchange.getRequestURI().getPath().substring(1));
        });
    }

    private interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private static HttpServer start(Answer answer) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            try (exchange) {
                answer.to(exchange);
            } catch (IOException e) {
                // the client went away, or a break that is wanted
            }
        });
        server.start();
        return server;
    }

    public String address() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    /** Adds or replaces a file of a repository. */
    public HubServer file(String repository, String name, byte[] content) {
        repositories.computeIfAbsent(repository, each -> new TreeMap<>()).put(name, content);
        return this;
    }

    /** Adds or replaces a small text file. */
    public HubServer file(String repository, String name, String content) {
        return file(repository, name, content.getBytes(StandardCharsets.UTF_8));
    }

    private Map<String, byte[]> files(String repository) {
        return Objects.requireNonNull(repositories.get(repository));
    }

    private byte[] content(String repository, String name) {
        return Objects.requireNonNull(files(repository).get(name));
    }

    private void note(String where, HttpExchange exchange) {
        requests.add(where + exchange.getRequestURI() + " range="
                + exchange.getRequestHeaders().getFirst("Range") + " authorization="
                + exchange.getRequestHeaders().getFirst("Authorization"));
    }

    private void answer(HttpExchange exchange) throws IOException {
        note("hub ", exchange);
        String[] path = exchange.getRequestURI().getPath().split("/");
        boolean lists = path[1].equals("api");
        String repository = lists ? path[3] + "/" + path[4] : path[1] + "/" + path[2];
        String sent = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        if (!token.isEmpty() && !sent.equals("Bearer " + token)) {
            fail(exchange, 401, "GatedRepo", "Access to model " + repository + " is restricted.");
        } else if (!repositories.containsKey(repository)) {
            fail(exchange, 404, "RepoNotFound", "Repository not found");
        } else if (lists && !List.of("main", commit).contains(path[6])) {
            fail(exchange, 404, "RevisionNotFound", "Invalid rev id: " + path[6]);
        } else if (lists) {
            byte[] json = listing(repository);
            exchange.sendResponseHeaders(200, json.length);
            exchange.getResponseBody().write(json);
        } else {
            String name = path[5];
            byte[] content = content(repository, name);
            if (content.length > LARGE) {
                String other = "http://localhost:" + storage.getAddress().getPort() + "/" + repository + "/" + name;
                exchange.getResponseHeaders().set("Location", redirect == null ? other : redirect);
                exchange.sendResponseHeaders(302, -1);
            } else {
                file(exchange, repository + "/" + name);
            }
        }
    }

    private static void fail(HttpExchange exchange, int status, String code, String message) throws IOException {
        exchange.getResponseHeaders().set("X-Error-Code", code);
        exchange.getResponseHeaders().set("X-Error-Message", message);
        exchange.sendResponseHeaders(status, -1);
    }

    private byte[] listing(String repository) {
        List<Map<String, Object>> files = new ArrayList<>();
        files(repository).forEach((name, content) -> {
            Map<String, Object> file = new TreeMap<>();
            file.put("rfilename", name);
            file.put("size", content.length > LARGE ? content.length + announced : content.length);
            if (!withoutHashes) {
                byte[] blob = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
                byte[] whole = Arrays.copyOf(blob, blob.length + content.length);
                System.arraycopy(content, 0, whole, blob.length, content.length);
                file.put("blobId", hash("SHA-1", whole));
                if (content.length > LARGE) {
                    file.put(
                            "lfs",
                            Map.of("sha256", hash("SHA-256", content), "size", content.length, "pointerSize", 134));
                }
            }
            files.add(file);
        });
        return JsonMapper.builder()
                .build()
                .writeValueAsBytes(Map.of("id", repository, "sha", commit, "siblings", files));
    }

    private static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void file(HttpExchange exchange, String path) throws IOException {
        int slash = path.lastIndexOf('/');
        byte[] content =
                content(path.substring(0, slash), path.substring(slash + 1)).clone();
        if (content.length > LARGE && damages.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            content[content.length / 2] ^= 1;
        }
        String range = wholeFilesOnly ? null : exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        if (from >= content.length && from > 0) {
            exchange.sendResponseHeaders(416, -1);
            return;
        }
        if (range != null) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
        boolean breaks = content.length > LARGE && this.breaks.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        int end = breaks ? Math.min(content.length, from + breakAfter) : content.length;
        OutputStream out = exchange.getResponseBody();
        for (int at = from; at < end; at += 4096) {
            out.write(content, at, Math.min(4096, end - at));
            out.flush();
            while (content.length > LARGE && heldAfter > 0 && at + 4096 - from >= heldAfter) {
                pause();
            }
        }
        if (breaks) {
            throw new IOException("as wanted");
        }
    }

    private static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
    }
}
