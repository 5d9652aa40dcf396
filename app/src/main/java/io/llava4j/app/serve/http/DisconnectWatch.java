package io.llava4j.app.serve.http;

import io.helidon.common.buffers.DataReader;

/**
 * Notices that a client closed its connection while it waits for its answer: a thread reads, and gets either the end of the
 * connection or, from a client that does not wait, the start of another request.
 */
final class DisconnectWatch implements Exchange.Watch {
    private volatile boolean closed;

    private DisconnectWatch() {}

    /** @param reader of the connection; nobody else may read from it any more */
    static DisconnectWatch start(DataReader reader, Runnable gone) {
        DisconnectWatch watch = new DisconnectWatch();
        Thread.ofVirtual().name("llava-disconnect").start(() -> {
            try {
                reader.ensureAvailable();
            } catch (RuntimeException e) {
                if (!watch.closed) {
                    gone.run();
                }
            }
        });
        return watch;
    }

    @Override
    public void close() {
        closed = true;
    }
}
