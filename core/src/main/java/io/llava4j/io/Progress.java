package io.llava4j.io;

/** Hears how far a piece of work is, from the thread that does it. */
@FunctionalInterface
public interface Progress {
    /** Progress that nobody watches. */
    Progress NONE = (done, total) -> {};

    /**
     * Reports progress.
     *
     * @param done units done, those of an earlier, interrupted run included
     * @param total units in all; 0 where unknown
     */
    void update(long done, long total);

    /** Progress on show until it is closed. */
    interface Shown extends Progress, AutoCloseable {
        @Override
        void close();
    }

    /** Shows one piece of work after the other. */
    @FunctionalInterface
    interface Display {
        /**
         * Begins to show a piece of work.
         *
         * @param what is being done, for example {@code stage 1}
         * @param unit what is counted, in the plural, for example {@code steps}
         */
        Shown open(String what, String unit);
    }
}
