package io.llava4j.train.run.input;

import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Fingerprints of what a run reads, so that a resumed run notices when it is no longer the same.
 *
 * @param fingerprints by what they describe, for example {@code weights of the vision tower}
 */
public record RunInputs(Map<String, Fingerprint> fingerprints) {
    /** Nothing is known. */
    public static final RunInputs NONE = new RunInputs(Map.of());

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * Count and hash of an input.
     *
     * @param count number of its parts, such as records
     * @param hash of its content
     */
    public record Fingerprint(long count, String hash) {}

    /** These and others. */
    public RunInputs and(RunInputs others) {
        Map<String, Fingerprint> all = new LinkedHashMap<>(fingerprints);
        all.putAll(others.fingerprints);
        return new RunInputs(all);
    }

    /** What differs from an earlier run's inputs, with counts that differ; what one of the two does not know is no difference. */
    public List<String> changesSince(RunInputs then) {
        List<String> changes = new ArrayList<>();
        fingerprints.forEach((what, now) -> {
            Fingerprint before = then.fingerprints.get(what);
            if (before != null && !before.equals(now)) {
                changes.add(
                        before.count() == now.count()
                                ? what
                                : "%s (%d then, %d now)".formatted(what, before.count(), now.count()));
            }
        });
        return changes;
    }

    /** As text, for the metadata of a checkpoint. */
    public String toJson() {
        return JSON.writeValueAsString(fingerprints);
    }

    /** The inverse of {@link #toJson}. */
    public static RunInputs ofJson(String text) {
        return new RunInputs(JSON.readValue(text, new TypeReference<LinkedHashMap<String, Fingerprint>>() {}));
    }

    /** Keeps them in a file. */
    public void write(Path file) {
        AtomicFiles.write(file, toJson().getBytes(StandardCharsets.UTF_8));
    }

    /** Reads a file of {@link #write}. */
    public static RunInputs read(Path file) {
        try {
            return ofJson(Files.readString(file));
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }
}
