package io.llava4j.tensor.collective;

import io.llava4j.LlavaException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * A free port, chosen by the system, that it gives to nobody else until this is closed. It is bound but not listened on, so
 * that the process that gets its number can listen there.
 */
public final class ReservedPort implements AutoCloseable {
    private final Socket socket = new Socket();

    /**
     * Reserves a port.
     *
     * @throws LlavaException if none is free
     */
    public ReservedPort() {
        try {
            socket.setReuseAddress(true); // on both sides, or the other one could not bind it
            socket.bind(new InetSocketAddress(0));
        } catch (IOException e) {
            close();
            throw new LlavaException(
                    "this machine has no free port: %s; end programs that hold many connections"
                            .formatted(e.getMessage()),
                    e);
        }
    }

    /** Its number. */
    public int number() {
        return socket.getLocalPort();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed all the same.
        }
    }
}
