package io.llava4j.app.store;

import io.llava4j.io.StrictJson;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A pulled repository.
 *
 * @param repo name and revision
 * @param folder with its files
 * @param commit that was pulled
 * @param pulled when
 * @param bytes of its files
 * @param tower repository of its vision tower, which lies in the store too; null if it holds its own or needs none
 * @param asTower whether it was pulled for another model that needs it as tower
 */
public record StoredModel(
        RepoName repo,
        Path folder,
        String commit,
        Instant pulled,
        long bytes,
        @Nullable RepoName tower,
        boolean asTower) {
    /** Name of the file that says all this, in the model's folder. */
    static final String FILE = ".llava4j.json";

    byte[] json() {
        ObjectNode node = StrictJson.MAPPER.createObjectNode();
        node.put("repository", repo.repository());
        node.put("revision", repo.revisionOrMain());
        node.put("commit", commit);
        node.put("pulled", pulled.toString());
        node.put("bytes", bytes);
        node.put("tower", tower == null ? null : tower.repository());
        node.put("as_tower", asTower);
        return StrictJson.pretty(node);
    }

    static StoredModel read(RepoName repo, Path folder) {
        ObjectNode node = StrictJson.object(folder.resolve(FILE));
        return new StoredModel(
                repo,
                folder,
                node.path("commit").asString(""),
                instant(node.path("pulled").asString("")),
                node.path("bytes").asLong(0),
                RepoName.parse(node.path("tower").asString("")).orElse(null),
                node.path("as_tower").asBoolean(false));
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return Instant.EPOCH;
        }
    }
}
