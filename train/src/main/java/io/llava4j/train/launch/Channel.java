package io.llava4j.train.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A connection between two launchers. What is sent never waits for the other side; what is read has a deadline, always. */
final class Channel implements AutoCloseable {
    /** How often each side says something. */
    static final long PING_MILLIS = 500;
    /** How long a launcher may take to introduce itself, or to answer one that did; a stranger never does. */
    static final Duration INTRODUCTION = Duration.ofSeconds(5);

    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final Socket socket;
    private final Deadline deadline;
    private final BufferedReader in;
    private final BlockingQueue<Message> out = new LinkedBlockingQueue<>();
    private final Thread sender = Thread.ofVirtual().unstarted(this::send);
    private volatile boolean closed;
    private volatile @Nullable String ended;

    private Channel(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        deadline = new Deadline(socket);
        in = new BufferedReader(new InputStreamReader(deadline, StandardCharsets.UTF_8));
    }

    /** A channel over a socket that is connected; sends on a thread of its own. */
    static Channel over(Socket socket) throws IOException {
        Channel channel = new Channel(socket);
        channel.sender.start();
        return channel;
    }

    /**
     * The next message; null at the end of the connection.
     *
     * @param within how long the whole of it may take to come
     * @throws SocketTimeoutException if it takes longer
     * @throws IOException if something else comes than a message
     */
    @Nullable
    Message read(Duration within) throws IOException {
        deadline.in(within);
        return Message.read(in);
    }

    /**
     * From now on gives every message to {@code messages}, on a thread of its own.
     *
     * @param silence how long the other side may say nothing
     */
    void listen(Duration silence, Consumer<Message> messages) {
        Thread.ofVirtual().start(() -> receive(silence, messages));
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
            while (!closed || !out.isEmpty()) {
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

    private void receive(Duration silence, Consumer<Message> messages) {
        try {
            for (Message next = read(silence); next != null; next = read(silence)) {
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
        closed = true;
        close(socket);
    }

    /** Ends the connection when all has been sent, or cannot be sent soon. */
    @Override
    public void close() {
        closed = true;
        send(new Message.Ping()); // so that the sender looks up
        try {
            sender.join(LAST_WORDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(socket);
    }

    static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed all the same.
        }
    }

    /** The bytes of a socket up to a deadline, which a byte now and then does not put off, as it does a socket's own timeout. */
    private static final class Deadline extends InputStream {
        private final Socket socket;
        private final InputStream in;
        private long end;

        Deadline(Socket socket) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
        }

        void in(Duration time) {
            end = System.nanoTime() + time.toNanos();
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                throw new SocketTimeoutException("it does not answer");
            }
            socket.setSoTimeout((int) Math.min(Integer.MAX_VALUE, left));
            try {
                return in.read(bytes, offset, length);
            } catch (SocketTimeoutException e) {
                throw new SocketTimeoutException("it does not answer");
            }
        }
    }
}
