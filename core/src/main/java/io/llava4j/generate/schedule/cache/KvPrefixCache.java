package io.llava4j.generate.schedule.cache;

import io.llava4j.model.cpu.KvContext;
import io.llava4j.model.cpu.KvPage;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of prompts and answers that were read before. The entries are sorted by what their positions hold, so the
 * one with the longest common prefix stands next to where a prompt would stand. Entries share pages; each page counts once. The
 * least recently used entry gives up its last page first, because others are more likely to begin as it does than to be equal to it. Used by
 * one thread.
 */
public final class KvPrefixCache implements LeastRecentlyUsed.Cache, AutoCloseable {
    private static final class Entry {
        private final long[] keys;
        private final KvContext context;
        private long used;

        Entry(long[] keys, KvContext context, long used) {
            this.keys = keys;
            this.context = context;
            this.used = used;
        }
    }

    /** No entry is the beginning of another. */
    private final TreeMap<long[], Entry> entries = new TreeMap<>(Arrays::compare);

    private final SequencedSet<Entry> byUse = new LinkedHashSet<>();
    private final Map<KvPage, Integer> owners = new IdentityHashMap<>();
    private long bytes;
    private long newest = Long.MIN_VALUE;

    /**
     * A context that has read the longest beginning of a prompt that is here.
     *
     * @param keys of the prompt
     * @param most positions, at most the length of the prompt
     * @return null if there is none
     */
    @Nullable
    public KvContext fork(long[] keys, int most, long now) {
        Entry best = nearest(keys);
        int shared = best == null ? 0 : Math.min(most, shared(best, keys));
        if (best == null || shared == 0) {
            return null;
        }
        byUse.remove(best);
        best.used = now;
        newest = now;
        byUse.addLast(best);
        return best.context.fork(shared);
    }

    /** Positions of a prompt that {@link #fork} would find read. */
    public int shared(long[] keys, int most) {
        Entry best = nearest(keys);
        return best == null ? 0 : Math.min(most, shared(best, keys));
    }

    private @Nullable Entry nearest(long[] keys) {
        Map.Entry<long[], Entry> below = entries.floorEntry(keys);
        Map.Entry<long[], Entry> above = entries.ceilingEntry(keys);
        if (below == null || above == null) {
            return below != null ? below.getValue() : above != null ? above.getValue() : null;
        }
        return shared(below.getValue(), keys) >= shared(above.getValue(), keys) ? below.getValue() : above.getValue();
    }

    private static int shared(Entry entry, long[] keys) {
        int mismatch = Arrays.mismatch(entry.keys, keys);
        return mismatch < 0 ? keys.length : mismatch;
    }

    /**
     * Keeps a context.
     *
     * @param keys of the positions that it has read
     * @param context closed when it is given up
     */
    public void put(long[] keys, KvContext context, long now) {
        Map.Entry<long[], Entry> above = entries.ceilingEntry(keys);
        if (keys.length == 0 || above != null && shared(above.getValue(), keys) == keys.length) {
            context.close(); // a longer one begins with it
            return;
        }
        Map.Entry<long[], Entry> below = entries.lowerEntry(keys);
        if (below != null && shared(below.getValue(), keys) == below.getKey().length) {
            remove(below.getValue());
        }
        Entry entry = new Entry(keys, context, now);
        entries.put(keys, entry);
        if (now >= newest) {
            newest = now;
            byUse.addLast(entry);
        } else {
            byUse.addFirst(entry);
        }
        for (KvPage page : context.pages()) {
            if (owners.merge(page, 1, Integer::sum) == 1) {
                bytes += page.bytes();
            }
        }
    }

    private void remove(Entry entry) {
        entries.remove(entry.keys);
        byUse.remove(entry);
        for (KvPage page : entry.context.pages()) {
            if (owners.merge(page, -1, Integer::sum) == 0) {
                owners.remove(page);
                bytes -= page.bytes();
            }
        }
        entry.context.close();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long oldest() {
        return byUse.isEmpty() ? Long.MAX_VALUE : byUse.iterator().next().used;
    }

    @Override
    public void evict() {
        Entry oldest = byUse.iterator().next();
        int whole = KvContext.wholePages(oldest.keys.length - 1);
        KvContext rest = whole == 0 ? null : oldest.context.fork(whole);
        remove(oldest);
        if (rest != null) {
            put(Arrays.copyOf(oldest.keys, whole), rest, oldest.used);
        }
    }

    @Override
    public void close() {
        List.copyOf(byUse).forEach(this::remove);
    }
}
