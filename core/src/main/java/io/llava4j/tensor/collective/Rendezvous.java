package io.llava4j.tensor.collective;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Store;
import org.jspecify.annotations.Nullable;

/**
 * Where processes find each other: a key-value store that rank 0 serves on the master port. It knows who has come and, when
 * an exchange fails, who no longer answers.
 */
final class Rendezvous implements AutoCloseable {
    /** How long rank 0 may take for work of its own, such as scoring benchmarks. */
    private static final Duration LONGEST_WORK = Duration.ofDays(2);

    private static final Duration POLL = Duration.ofMillis(20);
    /** What the first rank that gave up waiting says; the others say it too. */
    private static final String VERDICT = "verdict";

    private static final String DONE = "done";
    private static final Duration LONGEST_REPORT = Duration.ofSeconds(5);

    private final Rank rank;
    private final SharedStore store;
    private List<String> processes = List.of();
    private int exchanges;

    private Rendezvous(Rank rank, SharedStore store) {
        this.rank = rank;
        this.store = store;
    }

    /**
     * Meets the other processes.
     *
     * @throws ConfigException if they do not agree on the number of processes, or two have the same rank
     * @throws PeerLostException naming who is missing after the timeout
     */
    static Rendezvous of(Rank rank) {
        Rendezvous rendezvous = new Rendezvous(rank, SharedStore.open(rank));
        try {
            rendezvous.meet();
            return rendezvous;
        } catch (RuntimeException e) {
            rendezvous.close();
            throw e;
        }
    }

    private void meet() {
        InetAddress own = addressTowards(rank.masterAddress(), rank.masterPort());
        String process =
                "%s process %d".formatted(hostName(), ProcessHandle.current().pid());
        requireSameWorld(process);
        store.set("rank/" + rank.rank(), own.getHostAddress() + " " + process);
        await("rank", "did not come to %s:%d".formatted(rank.masterAddress(), rank.masterPort()), rank.timeout());
        processes = all("rank");
    }

    /** {@link SharedStore#forBackend}, to connect the pairs of a backend. */
    Store forBackend(String prefix) {
        return store.forBackend(prefix);
    }

    /** How long the others have to report where they stand after an exchange has failed; part of the timeout. */
    static Duration reportTime(Rank rank) {
        Duration quarter = rank.timeout().dividedBy(4);
        return quarter.compareTo(LONGEST_REPORT) < 0 ? quarter : LONGEST_REPORT;
    }

    /** Host and process number of a rank. */
    String processOf(int other) {
        return processes.get(other).split(" ", 2)[1];
    }

    /**
     * This machine's address that the others reach: the one towards rank 0 or, on the machine of rank 0, where its name may
     * stand for the loopback address only, towards a rank elsewhere.
     */
    InetAddress ownAddress() {
        InetAddress own = address(rank.rank());
        for (int i = 0; i < rank.worldSize() && own.isLoopbackAddress(); i++) {
            InetAddress other = address(i);
            if (!other.isLoopbackAddress()) {
                own = addressTowards(other.getHostAddress(), rank.masterPort());
            }
        }
        return own;
    }

    private InetAddress address(int other) {
        return resolve(processes.get(other).split(" ", 2)[0]);
    }

    /** A text of every rank, in the order of the ranks. All must call this in the same order. */
    List<String> gather(String text, String where) {
        return gather(text, where, rank.timeout());
    }

    /** A text that rank 0 finds out, however long it takes; where it fails, all fail with its message. */
    String onFirst(Supplier<String> work) {
        RuntimeException failure = null;
        String text = "";
        if (rank.isFirst()) {
            try {
                text = "+" + work.get();
            } catch (LlavaException e) {
                failure = e;
                text = (e instanceof ConfigException ? "?" : "-") + e.getMessage();
            }
        }
        Duration time = rank.isFirst() ? rank.timeout() : LONGEST_WORK;
        String answer = gather(text, "the work of rank 0", time).getFirst();
        if (failure != null) {
            throw failure;
        }
        String message = answer.substring(1);
        return switch (answer.charAt(0)) {
            case '+' -> message;
            case '?' -> throw new ConfigException(message);
            default -> throw new LlavaException(message);
        };
    }

    /** {@link #gather(String, String)} with a time of its own. */
    List<String> gather(String text, String where, Duration time) {
        String key = "text/" + exchanges++;
        store.set(key + "/" + rank.rank(), text);
        await(key, "did not come to " + where, time);
        return all(key);
    }

    /**
     * Who does not answer after an exchange failed. The ranks that live report where they stand; the first to be named are
     * those that do not.
     *
     * @param where the exchange
     * @return a sentence
     */
    String diagnose(String where) {
        store.hurry();
        try {
            store.set("failed/" + rank.rank(), where);
            List<Integer> silent = missing("failed", reportTime(rank));
            if (!silent.isEmpty()) {
                return named(silent) + " no longer answers";
            }
            List<String> others = new ArrayList<>();
            for (int i = 0; i < rank.worldSize(); i++) {
                String at = store.get("failed/" + i);
                if (!at.equals(where)) {
                    others.add("rank %d stands at %s".formatted(i, at));
                }
            }
            return others.isEmpty()
                    ? "all ranks still run, so the network between them failed"
                    : String.join(", ", others);
        } catch (RuntimeException e) {
            return rank.isFirst() ? "the others cannot be asked" : named(List.of(0)) + " no longer answers";
        }
    }

    private String named(List<Integer> ranks) {
        List<String> names = new ArrayList<>();
        for (int each : ranks) {
            names.add("rank %d (%s)".formatted(each, processOf(each)));
        }
        return String.join(", ", names);
    }

    private void requireSameWorld(String process) {
        String size = store.setIfAbsent("world-size", Integer.toString(rank.worldSize()));
        if (!size.equals(Integer.toString(rank.worldSize()))) {
            throw new ConfigException(
                    "rank %d has WORLD_SIZE %d, but the processes at %s:%d have %s; start all with the same number"
                            .formatted(rank.rank(), rank.worldSize(), rank.masterAddress(), rank.masterPort(), size));
        }
        if (store.add("claims/" + rank.rank(), 1) > 1) {
            throw new ConfigException(
                    "%s has RANK %d, but another process has it already; give each process its own number"
                            .formatted(process, rank.rank()));
        }
    }

    private void await(String key, String what, Duration time) {
        String verdict;
        try {
            List<Integer> missing = missing(key, time);
            if (missing.isEmpty()) {
                return;
            }
            if (!store.isSet(VERDICT)) {
                List<String> names =
                        missing.stream().map(each -> "rank " + each).toList();
                store.set(
                        VERDICT,
                        "%s %s within %d s; look at its log, or start it"
                                .formatted(String.join(", ", names), what, time.toSeconds()));
            }
            verdict = store.get(VERDICT);
        } catch (PeerLostException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new PeerLostException(
                    "rank 0 ended while rank %d waited for the others; look at the log of rank 0"
                            .formatted(rank.rank()),
                    e);
        }
        throw new PeerLostException(verdict, null);
    }

    /** Ranks that have not set their key when the time is over, for this rank or for one that gave up before. */
    private List<Integer> missing(String key, Duration time) {
        long end = System.nanoTime() + time.toNanos();
        List<Integer> missing =
                new ArrayList<>(IntStream.range(0, rank.worldSize()).boxed().toList());
        while (true) {
            missing.removeIf(each -> store.isSet(key + "/" + each));
            if (missing.isEmpty() || System.nanoTime() > end || (store.isSet(VERDICT) && !key.equals(DONE))) {
                return missing;
            }
            pause();
        }
    }

    private List<String> all(String key) {
        return IntStream.range(0, rank.worldSize())
                .mapToObj(each -> store.get(key + "/" + each))
                .toList();
    }

    private static void pause() {
        try {
            Thread.sleep(POLL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LlavaException("waiting for the other processes was interrupted", e);
        }
    }

    private static InetAddress addressTowards(String host, int port) {
        // Connecting a datagram socket sends nothing; it only chooses the route.
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(resolve(host), port));
            return socket.getLocalAddress();
        } catch (SocketException e) {
            throw new LlavaException("this machine has no route to %s; check MASTER_ADDR".formatted(host), e);
        }
    }

    private static InetAddress resolve(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ConfigException("MASTER_ADDR is '%s', which is the name of no machine".formatted(host), e);
        }
    }

    private static String hostName() {
        @Nullable String name = System.getenv("HOSTNAME");
        try {
            return name != null && !name.isBlank()
                    ? name
                    : InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "this machine";
        }
    }

    /** Rank 0 leaves last, since the others need its store until they are done. */
    @Override
    public void close() {
        try {
            store.set(DONE + "/" + rank.rank(), "");
            if (rank.isFirst()) {
                missing(DONE, reportTime(rank));
            }
        } catch (RuntimeException e) {
            // Rank 0 is gone, and nobody needs to know that this one goes too.
        } finally {
            store.close();
        }
    }
}
