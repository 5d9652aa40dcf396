package io.llava4j.train.launch;

import io.llava4j.LlavaException;
import io.llava4j.tensor.collective.ReservedPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Where the launchers of other nodes find launcher 0; without other nodes nothing listens. */
final class Rendezvous implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final LaunchPlan plan;
    private final String version;
    private final @Nullable ServerSocket server;
    private final Map<Integer, RemoteNode> joined = new ConcurrentHashMap<>();
    private volatile @Nullable String refused;
    /** Guarded by this. A connection may come out of {@code accept} after the end, and then nobody would ever end it. */
    private boolean closed;

    /**
     * Listens.
     *
     * @throws LlavaException if the port is taken or not of this machine
     */
    Rendezvous(LaunchPlan plan, String version) {
        this.plan = plan;
        this.version = version;
        this.server = plan.nodes() == 1 ? null : listen(Objects.requireNonNull(plan.rendezvous()));
        if (server != null) {
            ServerSocket listening = server;
            Thread.ofPlatform().daemon().name("rendezvous").start(() -> accept(listening));
        }
    }

    private static ServerSocket listen(HostPort at) {
        try {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            // Every address of this machine: the others may reach it by another one than it calls itself.
            socket.bind(new InetSocketAddress(at.port()));
            return socket;
        } catch (IOException e) {
            throw new LlavaException(
                    "the rendezvous port %d cannot be listened on: %s; end what uses it, or name another port with --rendezvous on every node"
                            .formatted(at.port(), e.getMessage()),
                    e);
        }
    }

    private void accept(ServerSocket listening) {
        while (!listening.isClosed()) {
            try {
                Socket socket = listening.accept();
                Thread.ofVirtual().start(() -> join(socket));
            } catch (IOException e) {
                // Closed, or a connection that broke before it stood, or too many of them.
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    private void join(Socket socket) {
        try {
            Channel channel = Channel.over(socket);
            if (channel.read(Channel.INTRODUCTION) instanceof Message.Hello hello && answer(hello, channel)) {
                return;
            }
        } catch (IOException e) {
            // A stranger: not one of ours, and nothing it says matters.
        }
        Channel.close(socket);
    }

    /** False if it is too late for an answer. */
    private synchronized boolean answer(Message.Hello hello, Channel channel) {
        if (closed) {
            return false;
        }
        String why = objection(hello);
        if (why == null) {
            channel.send(new Message.Welcome());
            joined.put(hello.node(), new RemoteNode(hello.node(), channel, plan.timeout()));
        } else {
            refused = why;
            channel.send(new Message.Refused(why));
        }
        return true;
    }

    private @Nullable String objection(Message.Hello hello) {
        if (!version.equals(hello.version())) {
            return "node %d runs llava4j %s, node 0 %s; install the same on all"
                    .formatted(hello.node(), hello.version(), version);
        }
        if (hello.nodes() != plan.nodes() || hello.processes() != plan.processes()) {
            return "node %d was started with --nodes %d --processes %d, node 0 with --nodes %d --processes %d; start all with the same numbers"
                    .formatted(hello.node(), hello.nodes(), hello.processes(), plan.nodes(), plan.processes());
        }
        if (hello.node() < 0 || hello.node() >= plan.nodes()) {
            return "there is no node %d of %d".formatted(hello.node(), plan.nodes());
        }
        RemoteNode there = joined.get(hello.node());
        return hello.node() == 0 || (there != null && there.gone().isEmpty())
                ? "there is a node %d already; give each its own --node-rank".formatted(hello.node())
                : null;
    }

    /** Where others reach this machine, with a port for the store of the process group. */
    HostPort master(ReservedPort port) {
        HostPort at = plan.rendezvous();
        return new HostPort(at == null ? "127.0.0.1" : at.host(), port.number());
    }

    /** The other nodes that are there, in order; fewer than planned until all have come. */
    List<RemoteNode> present() {
        return new ArrayList<>(new TreeMap<>(joined)
                .values().stream().filter(node -> node.gone().isEmpty()).toList());
    }

    boolean isComplete() {
        return present().size() == plan.nodes() - 1;
    }

    /** Names the nodes that did not come, and the last one that was refused. */
    String missing() {
        String names = IntStream.range(1, plan.nodes())
                .filter(node -> {
                    RemoteNode there = joined.get(node);
                    return there == null || there.gone().isPresent();
                })
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return "of %d nodes these did not come to %s within %d s: %s%s"
                .formatted(
                        plan.nodes(),
                        plan.rendezvous(),
                        plan.timeout().toSeconds(),
                        names,
                        refused == null ? "" : "; refused: " + refused);
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        joined.values().forEach(RemoteNode::close);
        if (server != null) {
            try {
                server.close();
            } catch (IOException e) {
                // Closed all the same.
            }
        }
    }
}
