package io.llava4j.generate.schedule.cache;

import io.llava4j.image.tile.ImageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Image tokens of images that were shown before, least recently used first. Used by one thread. */
public final class ImageTokenCache implements LeastRecentlyUsed.Cache {
    private record Entry(float[] tokens, long used) {}

    private final Map<ImageDigest, Entry> entries = new LinkedHashMap<>();
    private long bytes;

    /** Tokens of an image, {@code [tokens, hidden]}; null if they are not here. */
    public float @Nullable [] get(ImageDigest image, long now) {
        Entry entry = entries.remove(image);
        if (entry == null) {
            return null;
        }
        entries.put(image, new Entry(entry.tokens(), now));
        return entry.tokens();
    }

    public void put(ImageDigest image, float[] tokens, long now) {
        if (entries.put(image, new Entry(tokens, now)) == null) {
            bytes += size(tokens);
        }
    }

    private static long size(float[] tokens) {
        return (long) tokens.length * Float.BYTES;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long oldest() {
        return entries.isEmpty()
                ? Long.MAX_VALUE
                : entries.values().iterator().next().used();
    }

    @Override
    public void evict() {
        ImageDigest oldest = entries.keySet().iterator().next();
        Entry entry = entries.remove(oldest);
        if (entry != null) {
            bytes -= size(entry.tokens());
        }
    }
}
