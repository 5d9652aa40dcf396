package io.llava4j.app.serve.http;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The keys that clients must present. Comparing takes the same time whatever is presented. */
public final class ApiKeys {
    /** Everybody is let in. */
    public static final ApiKeys NONE = new ApiKeys(List.of());

    private final List<byte[]> digests;

    private ApiKeys(List<byte[]> digests) {
        this.digests = digests;
    }

    /**
     * Reads a file with a key on each line; empty lines and lines that begin with # are no keys.
     *
     * @throws ConfigException if it cannot be read or holds no key
     */
    public static ApiKeys read(Path file) {
        List<String> keys;
        try {
            keys = Files.readAllLines(file).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new ConfigException("the key file %s cannot be read (%s)".formatted(file, e), e);
        }
        if (keys.isEmpty()) {
            throw new ConfigException("the key file %s holds no key; write one on each line".formatted(file));
        }
        return new ApiKeys(keys.stream().map(ApiKeys::digest).toList());
    }

    /** Whether a client without a key is let in. */
    public boolean isOpen() {
        return digests.isEmpty();
    }

    /** Whether a client with this key is let in. */
    public boolean accepts(@Nullable String presented) {
        byte[] digest = digest(presented == null ? "" : presented);
        boolean found = false;
        for (byte[] key : digests) {
            found |= MessageDigest.isEqual(key, digest);
        }
        return isOpen() || found;
    }

    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
