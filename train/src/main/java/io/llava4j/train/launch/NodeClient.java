package io.llava4j.train.launch;

import io.llava4j.LlavaException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The launcher of a node other than 0: starts and stops its ranks as launcher 0 says, and reports how they are. */
final class NodeClient {
    private static final long RETRY_MILLIS = 250;
    private static final int CONNECT_MILLIS = 2000;
    private static final Message NOTHING = new Message.Ping();

    private final LaunchPlan plan;
    private final LocalNode local;
    private final String version;
    private final Consumer<String> log;
    private final BlockingQueue<Message> messages = new LinkedBlockingQueue<>();

    NodeClient(LaunchPlan plan, LocalNode local, String version, Consumer<String> log) {
        this.plan = plan;
        this.local = local;
        this.version = version;
        this.log = log;
    }

    /**
     * Runs until launcher 0 ends the run.
     *
     * @return its exit code
     * @throws LlavaException if launcher 0 cannot be reached, refuses this one or is gone
     */
    int run() throws InterruptedException {
        try (Channel channel = connect()) {
            channel.listen(plan.timeout(), messages::add);
            return obey(channel);
        } finally {
            local.stop(true);
        }
    }

    private int obey(Channel channel) throws InterruptedException {
        int attempt = -1;
        boolean stopSaid = false;
        while (true) {
            Message message = messages.poll(Channel.PING_MILLIS, TimeUnit.MILLISECONDS);
            switch (message == null ? NOTHING : message) {
                case Message.Start start -> {
                    attempt = start.attempt().number();
                    start(start.attempt(), channel);
                }
                case Message.Stop stop -> local.stop(stop.now());
                case Message.Finish finish -> {
                    if (!finish.sentence().isEmpty()) {
                        log.accept(finish.sentence());
                    }
                    return finish.code();
                }
                default -> requireOpen(channel);
            }
            if (!stopSaid && local.stopRequested()) {
                stopSaid = true;
                channel.send(new Message.StopRequested());
            }
            channel.send(new Message.Status(attempt, local.ranks(attempt)));
        }
    }

    private void requireOpen(Channel channel) {
        String ended = channel.ended();
        if (ended != null && messages.isEmpty()) {
            throw new LlavaException(
                    "node 0 at %s is gone: %s; the ranks of this node were ended".formatted(plan.rendezvous(), ended));
        }
    }

    private void start(Attempt attempt, Channel channel) {
        try {
            local.start(attempt);
        } catch (LlavaException e) {
            channel.send(new Message.Unable(String.valueOf(e.getMessage())));
        }
    }

    /** Launcher 0 may start later than this one; until then a stranger may have its port. */
    private Channel connect() throws InterruptedException {
        HostPort at = Objects.requireNonNull(plan.rendezvous());
        long deadline = System.nanoTime() + plan.timeout().toNanos();
        IOException why = null;
        while (true) {
            try {
                return introduce(at, Duration.ofNanos(deadline - System.nanoTime()));
            } catch (IOException e) {
                // The last try may only have lacked time: an answer that an earlier one got says more than silence.
                why = why != null && e instanceof SocketTimeoutException ? why : e;
                boolean over = deadline - System.nanoTime() < TimeUnit.MILLISECONDS.toNanos(RETRY_MILLIS);
                if (over || local.stopRequested()) {
                    throw new LlavaException(
                            "node 0 could not be reached at %s within %d s: %s; check that it was started and that its address and port are right"
                                    .formatted(at, plan.timeout().toSeconds(), why.getMessage()),
                            why);
                }
                Thread.sleep(RETRY_MILLIS);
            }
        }
    }

    private Channel introduce(HostPort at, Duration left) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(
                    new InetSocketAddress(at.host(), at.port()), (int) Math.clamp(left.toMillis(), 1, CONNECT_MILLIS));
            Channel channel = Channel.over(socket);
            channel.send(new Message.Hello(version, plan.nodes(), plan.node(), plan.processes()));
            return switch (channel.read(left.compareTo(Channel.INTRODUCTION) < 0 ? left : Channel.INTRODUCTION)) {
                case Message.Welcome taken -> channel;
                case Message.Refused refused -> throw new LlavaException(refused.why());
                case null -> throw new IOException("it closes the connection");
                // With nobody listening on this machine, a socket may happen to get that very port and reach itself.
                default -> throw new IOException(Message.STRANGER);
            };
        } catch (UnknownHostException e) {
            throw new IOException("no machine has that name", e);
        } catch (IOException | LlavaException e) {
            Channel.close(socket);
            throw e;
        }
    }
}
