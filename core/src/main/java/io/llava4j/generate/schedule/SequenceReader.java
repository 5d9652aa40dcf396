package io.llava4j.generate.schedule;

import io.llava4j.LlavaException;
import java.util.Map;

/** Reads prompts and answers with the language model. Used by the decoding thread, but for {@link #requireRoom}. */
sealed interface SequenceReader extends AutoCloseable permits CpuReader, TensorReader {
    /**
     * Refuses a request that memory could not hold if no other were read. Any thread may call it.
     *
     * @throws LlavaException if so
     */
    void requireRoom(Request request);

    /**
     * Whether a request has room in memory beside those that are being read.
     *
     * @throws LlavaException as {@link #requireRoom}
     */
    boolean admits(Request request);

    /** Takes a request in. */
    void start(Request request);

    /**
     * Reads further tokens of the requests that were taken in.
     *
     * @param failures requests that cannot be read, and why
     * @return logits of the next tokens of those that have all their tokens read
     */
    Map<Request, NextLogits> step(Map<Request, RuntimeException> failures);

    /**
     * Gives a request up.
     *
     * @param keepsContext whether what was read of it may serve later prompts
     */
    void end(Request request, boolean keepsContext);

    /** Adds what only the reader knows. */
    void count(Counters counters);

    @Override
    void close();
}
