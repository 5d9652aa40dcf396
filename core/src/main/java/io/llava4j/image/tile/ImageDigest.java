package io.llava4j.image.tile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 of an image as the model reads it: images with the same one are the same image.
 *
 * @param a first 64 bits
 * @param b next 64 bits
 * @param c next 64 bits
 * @param d last 64 bits
 */
public record ImageDigest(long a, long b, long c, long d) {
    private static final int CHUNK = 1 << 14;

    /** Of an image's pixels and the order of its features. */
    public static ImageDigest of(PreparedImage image) {
        float[] pixels = image.pixels();
        MessageDigest sha = sha256();
        ByteBuffer bytes = ByteBuffer.allocate(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer floats = bytes.asFloatBuffer();
        for (int from = 0; from < pixels.length; from += CHUNK) {
            int count = Math.min(CHUNK, pixels.length - from);
            floats.put(0, pixels, from, count);
            sha.update(bytes.array(), 0, count * Float.BYTES);
        }
        int[] sources = image.order().sources();
        ByteBuffer order = ByteBuffer.allocate(sources.length * Integer.BYTES);
        order.asIntBuffer().put(sources);
        sha.update(order.array());
        ByteBuffer digest = ByteBuffer.wrap(sha.digest());
        return new ImageDigest(digest.getLong(), digest.getLong(), digest.getLong(), digest.getLong());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    /** What identifies an image token: below zero, unlike text. Four neighbouring tokens hold the whole digest. */
    public long key(int token) {
        long part = switch (token % 4) {
            case 0 -> a;
            case 1 -> b;
            case 2 -> c;
            default -> d;
        };
        return part + token | Long.MIN_VALUE;
    }
}
