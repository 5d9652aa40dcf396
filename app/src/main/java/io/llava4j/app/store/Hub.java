package io.llava4j.app.store;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** A hub of models with Hugging Face's HTTP interface: the files of a revision, and their bytes. */
public final class Hub {
    private static final int LARGEST_LISTING = 64 << 20;

    private final HubConnection connection;

    private Hub(HubConnection connection) {
        this.connection = connection;
    }

    /**
     * The hub that the environment names.
     *
     * @param environment {@code HF_ENDPOINT} (https://huggingface.co if unset) and {@code HF_TOKEN} (none if unset)
     * @throws ConfigException if a variable cannot be used
     */
    public static Hub of(Map<String, String> environment) {
        return new Hub(HubConnection.of(environment));
    }

    /**
     * Files of a revision.
     *
     * @param commit that the revision names now
     * @param files with paths as the hub says
     */
    record Listing(String commit, List<HubFile> files) {}

    /** A body that begins at a byte of the file. */
    record Body(InputStream bytes, long from) {}

    /** Where it is, for messages. */
    String address() {
        return connection.endpoint().toString();
    }

    /**
     * The files of a repository.
     *
     * @throws LlavaException if the hub cannot be reached or does not give them
     */
    Listing list(RepoName repo) {
        String path =
                "/api/models/%s/revision/%s?blobs=true".formatted(repo.repository(), encoded(repo.revisionOrMain()));
        try {
            HttpURLConnection response = connection.get(path, 0);
            requireOk(response, repo);
            try (InputStream body = response.getInputStream()) {
                return listing(repo, body.readNBytes(LARGEST_LISTING));
            }
        } catch (IOException e) {
            throw new LlavaException(
                    "%s cannot be reached: %s; check the network, or HF_ENDPOINT".formatted(address(), reason(e)), e);
        }
    }

    private Listing listing(RepoName repo, byte[] json) {
        try {
            JsonNode root = StrictJson.MAPPER.readTree(json);
            String commit = root.path("sha").asString("");
            if (!commit.matches("[0-9a-zA-Z]{7,64}") || !root.path("siblings").isArray()) {
                throw new DataException("%s does not list the files of %s as Hugging Face does; check HF_ENDPOINT"
                        .formatted(address(), repo));
            }
            List<HubFile> files = new ArrayList<>();
            for (JsonNode each : root.path("siblings")) {
                JsonNode lfs = each.path("lfs");
                files.add(new HubFile(
                        each.path("rfilename").asString(""),
                        each.path("size").asLong(lfs.path("size").asLong(-1)),
                        hash(lfs.path("sha256"), 64),
                        hash(each.path("blobId"), 40)));
            }
            return new Listing(commit, List.copyOf(files));
        } catch (JacksonException e) {
            throw new DataException(
                    "%s answers with something that is no JSON; check HF_ENDPOINT".formatted(address()), e);
        }
    }

    private static @Nullable String hash(JsonNode node, int length) {
        String text = node.asString("");
        return text.matches("[0-9a-f]{" + length + "}") ? text : null;
    }

    /**
     * Opens a file; the caller closes the body.
     *
     * @param from first byte wanted; the body may begin at 0 all the same
     * @throws IOException if the connection fails or the hub is overloaded, so that another attempt makes sense
     * @throws LlavaException if the hub does not give the file
     */
    Body open(RepoName repo, String commit, HubFile file, long from) throws IOException {
        HttpURLConnection response =
                connection.get("/%s/resolve/%s/%s".formatted(repo.repository(), commit, encoded(file.name())), from);
        int status = response.getResponseCode();
        if (status == 416) {
            response.disconnect();
            return open(repo, commit, file, 0); // what is there is longer than the file
        }
        if (status == 429 || status >= 500) {
            throw new IOException("the hub answered " + status);
        }
        requireOk(response, repo);
        String range = response.getHeaderField("Content-Range");
        boolean resumes = status == 206 && range != null && range.startsWith("bytes " + from + "-");
        if (status == 206 && !resumes) {
            throw new IOException("the hub gave another part of the file than was asked for");
        }
        return new Body(response.getInputStream(), resumes ? from : 0);
    }

    private void requireOk(HttpURLConnection response, RepoName repo) throws IOException {
        int status = response.getResponseCode();
        if (status == 200 || status == 206) {
            return;
        }
        String code = String.valueOf(response.getHeaderField("X-Error-Code"));
        String said = response.getHeaderField("X-Error-Message");
        String more = said == null ? "" : " (" + FileErrors.shown(said) + ")";
        throw new LlavaException(
                switch (status) {
                    case 401, 403 ->
                        "%s gives no access to %s: check the name; if the repository is private or gated, accept its terms on its page and set HF_TOKEN to a token that may read it%s"
                                        .formatted(
                                                address(),
                                                repo.repository(),
                                                connection.token() == null ? "" : "; the present HF_TOKEN may not")
                                + more;
                    case 404 ->
                        code.equals("RevisionNotFound")
                                ? "%s has no revision '%s'".formatted(repo.repository(), repo.revisionOrMain())
                                : "%s has no %s at revision '%s'; check the name"
                                        .formatted(address(), repo.repository(), repo.revisionOrMain());
                    default -> "%s answered %d for %s%s".formatted(address(), status, repo, more);
                });
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** What went wrong, in words; some exceptions have a host as their whole message. */
    static String reason(IOException e) {
        return switch (e) {
            case java.net.UnknownHostException unknown -> "there is no host " + unknown.getMessage();
            case java.net.SocketTimeoutException timeout -> "it does not answer";
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }
}
