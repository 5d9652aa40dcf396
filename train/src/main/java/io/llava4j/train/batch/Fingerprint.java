package io.llava4j.train.batch;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of texts and files, one after another. */
public final class Fingerprint {
    private final MessageDigest digest;

    /** Nothing is added yet. */
    public Fingerprint() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Adds a text with its length, so that texts are distinguished from their concatenation. */
    public Fingerprint add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        return add(bytes);
    }

    /** Adds bytes as they are. */
    public Fingerprint add(byte[] bytes) {
        digest.update(bytes);
        return this;
    }

    /** The hash of all that was added; the next one begins anew. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
