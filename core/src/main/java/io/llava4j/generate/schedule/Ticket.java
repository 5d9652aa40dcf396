package io.llava4j.generate.schedule;

/** A request that was accepted. */
@FunctionalInterface
public interface Ticket {
    /** Ends the answer before the next token; nothing happens if it has ended. Any thread may call it. */
    void cancel();
}
