package io.llava4j.nano.world;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** A hash of everything that determines the bytes of a nano world. */
public final class DrawingsFingerprint {
    private DrawingsFingerprint() {}

    /** SHA-256 over version, options, categories and the pixels of every drawing, in hexadecimal digits. */
    public static String of(int version, Record options, Drawings drawings) {
        MessageDigest digest = sha256();
        // The text of a record contains every component and its value.
        digest.update((version + " " + options).getBytes(StandardCharsets.UTF_8));
        for (var sets : List.of(drawings.trainingSets(), drawings.heldOutSets())) {
            digest.update(sets.toString().getBytes(StandardCharsets.UTF_8));
            for (Category category : drawings.categories()) {
                digest.update(category.toString().getBytes(StandardCharsets.UTF_8));
                for (Drawing drawing : drawings.of(category.name(), sets)) {
                    ByteBuffer pixels = ByteBuffer.allocate(4 * drawing.argb().length);
                    pixels.asIntBuffer().put(drawing.argb());
                    digest.update(pixels);
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
