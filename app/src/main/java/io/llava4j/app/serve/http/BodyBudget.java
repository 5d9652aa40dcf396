package io.llava4j.app.serve.http;

import java.util.concurrent.Semaphore;

/** Bounds the memory of the bodies, and of the images fetched for them, of all requests that are being answered. */
public final class BodyBudget {
    private static final int BLOCK = 1 << 10;

    private final Semaphore blocks;

    /** @param bytes of all requests together */
    public BodyBudget(long bytes) {
        this.blocks = new Semaphore((int) Math.min(Integer.MAX_VALUE, Math.max(1, bytes / BLOCK)));
    }

    /** Memory that is taken until it is closed. */
    public final class Share implements AutoCloseable {
        private int taken;

        private Share() {}

        /**
         * Takes as much as is needed for a body of this length altogether.
         *
         * @throws ApiException if there is not so much left
         */
        public void grow(long bytes) {
            int wanted = blocks(bytes);
            if (wanted > taken) {
                take(wanted - taken);
            }
        }

        /**
         * Takes as much in addition.
         *
         * @throws ApiException if there is not so much left
         */
        public void add(long bytes) {
            take(blocks(bytes));
        }

        /** A share of the same budget that is still empty. */
        public Share another() {
            return share();
        }

        private void take(int count) {
            if (!blocks.tryAcquire(count)) {
                throw ApiException.retryAfter(
                        ApiException.Kind.OVERLOADED, "the server is reading too many large requests; try again", 1);
            }
            taken += count;
        }

        private static int blocks(long bytes) {
            return Math.toIntExact((bytes + BLOCK - 1) / BLOCK);
        }

        @Override
        public void close() {
            blocks.release(taken);
            taken = 0;
        }
    }

    /** A share that is still empty. */
    public Share share() {
        return new Share();
    }
}
