package io.llava4j.generate.schedule;

import java.util.List;

/** Keeps caches that share one bound within it, by giving up what was used least recently. Used by one thread. */
final class LeastRecentlyUsed {
    /** One of the caches. */
    interface Cache {
        /** Memory of its entries. */
        long bytes();

        /** When its least recently used entry was used; {@link Long#MAX_VALUE} if it is empty. */
        long oldest();

        /** Gives up that entry, or a part of it. */
        void evict();
    }

    private final List<Cache> caches;
    private long evictions;

    LeastRecentlyUsed(Cache... caches) {
        this.caches = List.of(caches);
    }

    long bytes() {
        return caches.stream().mapToLong(Cache::bytes).sum();
    }

    long evictions() {
        return evictions;
    }

    /** Gives up entries until no more than {@code bytes} are left. */
    void shrink(long bytes) {
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
