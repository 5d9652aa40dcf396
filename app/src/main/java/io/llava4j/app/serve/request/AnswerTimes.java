package io.llava4j.app.serve.request;

import io.llava4j.generate.schedule.Usage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** How long answers took, as histograms for a page of metrics. */
public final class AnswerTimes {
    /** Upper bounds of the buckets in seconds; one more bucket has no bound. */
    private static final double[] BOUNDS = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

    /** A histogram of seconds. */
    public static final class Histogram {
        private final LongAdder[] buckets = new LongAdder[BOUNDS.length + 1];
        private final AtomicLong nanos = new AtomicLong();

        private Histogram() {
            for (int i = 0; i < buckets.length; i++) {
                buckets[i] = new LongAdder();
            }
        }

        private void add(double seconds) {
            int bucket = 0;
            while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
                bucket++;
            }
            buckets[bucket].increment();
            nanos.addAndGet((long) (seconds * 1e9));
        }

        /** Number of buckets, the one without a bound included. */
        public int size() {
            return buckets.length;
        }

        /** Upper bound of a bucket in seconds. */
        public double bound(int bucket) {
            return bucket < BOUNDS.length ? BOUNDS[bucket] : Double.POSITIVE_INFINITY;
        }

        /** Values of one bucket. */
        public long count(int bucket) {
            return buckets[bucket].sum();
        }

        /** Sum of all values in seconds. */
        public double sum() {
            return nanos.get() / 1e9;
        }
    }

    private final Histogram queue = new Histogram();
    private final Histogram firstToken = new Histogram();
    private final Histogram whole = new Histogram();
    private final LongAdder abandoned = new LongAdder();

    void add(Usage usage) {
        queue.add(usage.queueSeconds());
        firstToken.add(usage.firstTokenSeconds());
        whole.add(usage.seconds());
    }

    void addAbandoned() {
        abandoned.increment();
    }

    /** Time in the queue. */
    public Histogram queue() {
        return queue;
    }

    /** Time from a request to the first token of its answer. */
    public Histogram firstToken() {
        return firstToken;
    }

    /** Time from a request to the end of its answer. */
    public Histogram whole() {
        return whole;
    }

    /** Answers whose clients left. */
    public long abandoned() {
        return abandoned.sum();
    }
}
