package io.llava4j.train.launch;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The ranks of another launcher, over its connection. */
final class RemoteNode implements Node, AutoCloseable {
    private final int node;
    private final Channel channel;
    private volatile Message.Status status = new Message.Status(-1, List.of());
    private volatile boolean stopRequested;
    private volatile @Nullable String unable;

    RemoteNode(int node, Channel channel, Duration silence) {
        this.node = node;
        this.channel = channel;
        channel.listen(silence, this::hear);
        Thread.ofVirtual().start(this::ping);
    }

    private void ping() {
        try {
            while (channel.ended() == null) {
                channel.send(new Message.Ping());
                Thread.sleep(Channel.PING_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hear(Message message) {
        switch (message) {
            case Message.Status now -> status = now;
            case Message.StopRequested ignored -> stopRequested = true;
            case Message.Unable failure -> unable = failure.why();
            default -> {
                // Launcher 0 sends the other kinds itself.
            }
        }
    }

    @Override
    public void start(Attempt attempt) {
        channel.send(new Message.Start(attempt));
    }

    @Override
    public void stop(boolean now) {
        channel.send(new Message.Stop(now));
    }

    @Override
    public List<RankStatus> ranks(int attempt) {
        Message.Status now = status;
        return now.attempt() == attempt ? now.ranks() : List.of();
    }

    @Override
    public Optional<String> gone() {
        String why = unable == null ? channel.ended() : unable;
        return Optional.ofNullable(why).map(reason -> "node %d is gone: %s".formatted(node, reason));
    }

    @Override
    public boolean stopRequested() {
        return stopRequested;
    }

    @Override
    public void finish(int code, String sentence) {
        channel.send(new Message.Finish(code, sentence));
    }

    /** Ends the connection; what was said before still arrives. */
    @Override
    public void close() {
        channel.close();
    }
}
