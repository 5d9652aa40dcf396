package io.llava4j.train.run.input;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of texts, numbers and bytes in their order; each is preceded by its length, so that their borders count. */
public final class Digest {
    private static final int SHOWN_BYTES = 16;

    private final MessageDigest sha;

    /** Of nothing so far. */
    public Digest() {
        try {
            sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Adds a text. */
    public Digest add(String text) {
        return add(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Adds bytes. */
    public Digest add(byte[] bytes) {
        add(bytes.length);
        sha.update(bytes);
        return this;
    }

    /** Adds a number. */
    public Digest add(long number) {
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            sha.update((byte) (number >>> shift));
        }
        return this;
    }

    /** The first 128 bits, in hexadecimal. */
    public String hex() {
        return HexFormat.of().formatHex(sha.digest(), 0, SHOWN_BYTES);
    }
}
