package io.llava4j.model.cpu;

import io.llava4j.image.tile.ImageDigest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The image features of one vision tower, for models that have this tower and are asked about the same images. When it is
 * full, it keeps what it has: whoever asks about many images asks in the same order again. Safe for use by many threads.
 */
public final class FeatureMemory {
    private record View(ImageDigest image, int index) {}

    private final Map<View, MemorySegment> features = new HashMap<>();
    private long room;

    /** @param bytes that the features may take in all */
    public FeatureMemory(long bytes) {
        this.room = bytes;
    }

    /** Features of a view of an image, {@code [tokens, hidden]}; null if they are not known. */
    synchronized @Nullable MemorySegment find(ImageDigest image, int view) {
        return features.get(new View(image, view));
    }

    /** Keeps a copy of the features of a view, if there is room. */
    synchronized void put(ImageDigest image, int view, MemorySegment of) {
        View key = new View(image, view);
        if (of.byteSize() <= room && !features.containsKey(key)) {
            room -= of.byteSize();
            features.put(
                    key, Arena.ofAuto().allocate(of.byteSize(), 64).copyFrom(of).asReadOnly());
        }
    }
}
