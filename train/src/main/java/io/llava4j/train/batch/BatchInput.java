package io.llava4j.train.batch;

/** The records of a file that is to be answered. Safe for use by many threads. */
public interface BatchInput extends AutoCloseable {
    /** Name of its format in reports. */
    String format();

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

    /** Loads the model; called once, before the first record is answered. */
    void open();

    /**
     * Answers a record, or says why it has no answer.
     *
     * @throws RuntimeException if it is not the record's fault
     */
    BatchLine answer(int index);

    /** Closes the model as well, if it was opened. */
    @Override
    void close();
}
