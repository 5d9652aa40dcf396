package io.llava4j.io;

/** Receives the progress of a task, in the thread that executes it. */
@FunctionalInterface
public interface Progress {
    /** Discards all progress. */
    Progress NONE = (done, total) -> {};

    /**
     * Reports progress.
     *
     * @param done units done, those of an earlier, interrupted run included
     * @param total units in all; 0 where unknown
     */
    void update(long done, long total);

    /** Progress on a display until it is closed. */
    interface Shown extends Progress, AutoCloseable {
        @Override
        void close();
    }

    /** Shows tasks one after the other. */
    @FunctionalInterface
    interface Display {
        /**
         * Starts to show a task.
         *
         * @param what the task is called, for example {@code stage 1}
         * @param unit what is counted, in the plural, for example {@code steps}
         */
        Shown open(String what, String unit);
    }
}
