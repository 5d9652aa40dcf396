package io.llava4j.app.serve.http;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts requests by path and status. */
public final class RequestCounts {
    /** What is counted apart. */
    public record Label(String path, int status) implements Comparable<Label> {
        @Override
        public int compareTo(Label other) {
            int order = path.compareTo(other.path);
            return order != 0 ? order : Integer.compare(status, other.status);
        }
    }

    private final Map<Label, LongAdder> finished = new ConcurrentHashMap<>();
    private final AtomicInteger active = new AtomicInteger();

    void begin() {
        active.incrementAndGet();
    }

    void end(String path, int status) {
        active.decrementAndGet();
        finished.computeIfAbsent(new Label(path, status), label -> new LongAdder())
                .increment();
    }

    /** Requests that are being answered. */
    public int active() {
        return active.get();
    }

    /** Requests that were answered, sorted. A status of 0 means that the client left before. */
    public Map<Label, Long> finished() {
        Map<Label, Long> sums = new TreeMap<>();
        finished.forEach((label, count) -> sums.put(label, count.sum()));
        return sums;
    }
}
