package io.llava4j.app.batch;

/** The records of a file that is to be answered. Safe for use by many threads. */
interface BatchInput extends AutoCloseable {
    /** Number of records, those that cannot be used included. */
    int size();

    /** Hash of all that the file says. */
    String fingerprint();

    /** Records of equal groups, such as questions about one image, are answered next to each other. */
    default String group(int index) {
        return "";
    }

    /** Why a record cannot be answered, as far as that is known without the model; empty if it seems to be fine. */
    String problem(int index);

    /**
     * Answers a record, or says why it has no answer.
     *
     * @throws RuntimeException if it is not the record's fault
     */
    BatchLine answer(int index, BatchModel model);

    @Override
    void close();
}
