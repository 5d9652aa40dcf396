package io.llava4j.generate.schedule.cache;

import java.util.List;

/** Keeps caches that share one bound within it, by giving up what was used least recently. Used by one thread. */
public final class LeastRecentlyUsed {
    /** One of the caches. */
    public interface Cache {
        /** Memory of its entries. */
        long bytes();

        /** When its least recently used entry was used; {@link Long#MAX_VALUE} if it is empty. */
        long oldest();

        /** Gives up that entry, or a part of it. */
        void evict();
    }

    private final List<Cache> caches;
    private long evictions;

    public LeastRecentlyUsed(Cache... caches) {
        this.caches = List.of(caches);
    }

    public long bytes() {
        return caches.stream().mapToLong(Cache::bytes).sum();
    }

    public long evictions() {
        return evictions;
    }

    /** Gives up entries until no more than {@code bytes} are left. */
    public void shrink(long bytes) {
        while (bytes() > Math.max(0, bytes)) {
            Cache oldest = caches.getFirst();
            for (Cache cache : caches) {
                if (cache.oldest() < oldest.oldest()) {
                    oldest = cache;
                }
            }
            oldest.evict();
            evictions++;
        }
    }
}
