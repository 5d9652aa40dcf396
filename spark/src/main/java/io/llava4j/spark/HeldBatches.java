package io.llava4j.spark;

import io.llava4j.train.batch.BatchTask;
import java.util.HashMap;
import java.util.Map;

/** The input and the model of an executor: read by its first task, and kept for the others. */
final class HeldBatches {
    private static final Map<BatchArguments, BatchTask> HELD = new HashMap<>();

    private HeldBatches() {}

    static synchronized BatchTask of(BatchArguments arguments) {
        BatchTask held = HELD.get(arguments);
        if (held == null) {
            held = arguments.open();
            HELD.put(arguments, held);
        }
        return held;
    }

    /** Closes what this process holds; in an executor it ends with the process. */
    static synchronized void close() {
        HELD.values().forEach(BatchTask::close);
        HELD.clear();
    }
}
