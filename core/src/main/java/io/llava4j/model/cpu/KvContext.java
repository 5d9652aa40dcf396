package io.llava4j.model.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Keys and values of the tokens that one sequence has read. They lie in pages, so nothing is copied as the sequence grows,
 * and a fork shares the pages of its original. Not thread-safe, but forks are independent of each other.
 */
public final class KvContext implements AutoCloseable {
    private final KvLayout layout;
    private final List<KvPage> pages = new ArrayList<>();
    private int length;

    KvContext(KvLayout layout) {
        this.layout = layout;
    }

    /** Tokens read so far. */
    public int length() {
        return length;
    }

    /** A context that continues this one, which may be continued and closed on its own. */
    public KvContext fork() {
        return fork(length);
    }

    /**
     * A context that continues the first tokens of this one.
     *
     * @param tokens at most {@link #length}
     */
    public KvContext fork(int tokens) {
        if (tokens < 0 || tokens > length) {
            throw new IllegalArgumentException("%d of %d tokens".formatted(tokens, length));
        }
        KvContext fork = new KvContext(layout);
        for (int page = 0; page < Math.ceilDiv(tokens, KvLayout.POSITIONS); page++) {
            fork.pages.add(pages.get(page).share());
        }
        fork.length = tokens;
        return fork;
    }

    /**
     * Forgets the last tokens.
     *
     * @param tokens that stay, at most {@link #length}
     */
    public void truncate(int tokens) {
        if (tokens < 0 || tokens > length) {
            throw new IllegalArgumentException("%d of %d tokens".formatted(tokens, length));
        }
        List<KvPage> after = pages.subList(Math.ceilDiv(tokens, KvLayout.POSITIONS), pages.size());
        after.forEach(KvPage::release);
        after.clear();
        length = tokens;
    }

    /** Positions of the whole pages among that many positions. */
    public static int wholePages(int tokens) {
        return tokens / KvLayout.POSITIONS * KvLayout.POSITIONS;
    }

    /** Its pages, some of which other contexts may share. */
    public List<KvPage> pages() {
        return Collections.unmodifiableList(pages);
    }

    KvLayout layout() {
        return layout;
    }

    KvPage page(int index) {
        return pages.get(index);
    }

    /** Makes the positions after the last one writable: a page that others read as well is copied first. */
    void reserve(int tokens) {
        int last = length / KvLayout.POSITIONS;
        if (last < pages.size() && pages.get(last).isShared()) {
            KvPage own = new KvPage(layout);
            own.memory().copyFrom(pages.get(last).memory());
            pages.set(last, own).release();
        }
        while ((long) pages.size() * KvLayout.POSITIONS < (long) length + tokens) {
            pages.add(new KvPage(layout));
        }
    }

    /** Counts tokens whose keys and values were stored. */
    void advance(int tokens) {
        length += tokens;
    }

    @Override
    public void close() {
        pages.forEach(KvPage::release);
        pages.clear();
        length = 0;
    }
}
