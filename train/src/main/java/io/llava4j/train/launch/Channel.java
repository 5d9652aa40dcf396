package io.llava4j.train.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A connection between two launchers. What is sent never waits for the other side; silence beyond the timeout ends it. */
final class Channel implements AutoCloseable {
    /** How often each side says something. */
    static final long PING_MILLIS = 500;

    private final Socket socket;
    private final BufferedReader in;
    private final BlockingQueue<Message> out = new LinkedBlockingQueue<>();
    private volatile boolean closed;
    private volatile @Nullable String ended;

    /** @param silence how long the other side may say nothing */
    Channel(Socket socket, Duration silence) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout((int) Math.min(Integer.MAX_VALUE, silence.toMillis()));
        in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    /** The next message; null at the end of the connection. */
    @Nullable
    Message read() throws IOException {
        return Message.read(in);
    }

    /** Begins to send, and to give every message that comes to {@code messages}, on threads of its own. */
    void open(Consumer<Message> messages) {
        Thread.ofVirtual().start(this::send);
        Thread.ofVirtual().start(() -> receive(messages));
    }

    /** Sends when it can. */
    void send(Message message) {
        out.add(message);
    }

    /** Why the connection ended, as the end of a sentence; null while it stands. */
    @Nullable
    String ended() {
        return ended;
    }

    private void send() {
        try (Writer writer = new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8)) {
            while (!closed) {
                Message next = out.take();
                next.writeTo(writer);
                if (next instanceof Message.Finish || next instanceof Message.Refused) {
                    break;
                }
            }
        } catch (IOException e) {
            end("its connection broke: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void receive(Consumer<Message> messages) {
        try {
            for (Message next = read(); next != null; next = read()) {
                messages.accept(next);
            }
            end("its launcher ended");
        } catch (SocketTimeoutException e) {
            end("it has been silent for the whole timeout");
        } catch (IOException e) {
            end("its connection broke: " + e.getMessage());
        }
    }

    private void end(String why) {
        if (ended == null) {
            ended = why;
        }
        close();
    }

    @Override
    public void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            // Closed all the same.
        }
    }
}
