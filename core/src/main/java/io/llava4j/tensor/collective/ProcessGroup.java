package io.llava4j.tensor.collective;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Processes that exchange tensors: Gloo between CPUs, NCCL between GPUs. All processes must call the same methods in the same
 * order with tensors of the same size. With one process nothing is exchanged.
 *
 * <p>On the CPU the terms of every sum are added in the order of the ranks, so that {@link #allReduce} gives the same bits as
 * {@link #reduceScatter} followed by {@link #allGather}, and as one process that adds the terms one after the other.
 *
 * <p>Methods whose names end in {@code Async} return at once and run one after the other on a thread of the group; their
 * tensors must not be touched until the result is there.
 */
public final class ProcessGroup implements AutoCloseable {
    /** Memory of the terms of sums that processes on CPUs exchange at a time. */
    public static final long EXCHANGED_BYTES = 1 << 26;

    /** Longest wait for exchanges in {@link #close}. */
    private static final Duration CLOSING = Duration.ofSeconds(5);

    private final Rank rank;
    private final @Nullable Rendezvous rendezvous;
    private final @Nullable Exchanges exchanges;
    private final @Nullable Device device;
    private final boolean cuda;
    private final ExecutorService thread;

    private ProcessGroup(
            Rank rank, @Nullable Rendezvous rendezvous, @Nullable Backend backend, @Nullable Device device) {
        this.rank = rank;
        this.rendezvous = rendezvous;
        this.device = device;
        this.cuda = device != null && device.is_cuda();
        this.exchanges = backend == null ? null : new Exchanges(backend, rank, cuda, this::failed);
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("collective").factory());
        if (backend != null) {
            // The sums of the exchanges must not take the threads of the network's own computations.
            thread.submit(() -> torch.set_num_threads(1));
        }
    }

    /** A group of one process. */
    public static ProcessGroup alone() {
        return new ProcessGroup(Rank.alone(), null, null, null);
    }

    /**
     * Joins the other processes; returns when all have come.
     *
     * @param rank where this process stands
     * @param device of the tensors that will be exchanged
     * @throws PeerLostException naming who is missing after the timeout
     * @throws LlavaException if rank 0 cannot listen, or saying what does not fit together
     */
    public static ProcessGroup join(Rank rank, Device device) {
        if (rank.isAlone()) {
            return new ProcessGroup(rank, null, null, null);
        }
        return Waits.in(
                "the meeting of all ranks",
                () -> Engine.scope("joining the process group", () -> {
                    Rendezvous rendezvous = Rendezvous.of(rank);
                    try {
                        Backend backend = Backends.of(
                                rank, rendezvous, device, rank.timeout().minus(Rendezvous.reportTime(rank)));
                        return new ProcessGroup(rank, rendezvous, backend.retainReference(), device.retainReference());
                    } catch (ConfigException e) {
                        rendezvous.close();
                        throw e;
                    } catch (RuntimeException e) {
                        String why = rendezvous.diagnose("joining");
                        rendezvous.close();
                        throw new PeerLostException(
                                "rank %d cannot connect to the other processes: %s; check the network and its firewall"
                                        .formatted(rank.rank(), why),
                                e);
                    }
                }));
    }

    /** Where this process stands. */
    public Rank rank() {
        return rank;
    }

    /** Number of processes. */
    public int size() {
        return rank.worldSize();
    }

    /** Whether something holds on any process. */
    public boolean any(boolean here) {
        return allGather(here ? "1" : "").contains("1");
    }

    /** Sums a tensor over all processes, in place. */
    public void allReduce(Tensor tensor) {
        join(allReduceAsync(tensor));
    }

    /** {@link #allReduce} in the background. */
    public CompletableFuture<Void> allReduceAsync(Tensor tensor) {
        return exchange("all-reduce", all -> all.allReduce(tensor), () -> {});
    }

    /**
     * Sums a tensor over all processes; each keeps its share.
     *
     * @param out this rank's share of the sum, {@code [n]}
     * @param in {@code [size() * n]}
     */
    public void reduceScatter(Tensor out, Tensor in) {
        out.zero_();
        join(addReduceScatterAsync(out, in));
    }

    /**
     * Sums a tensor over all processes in the background; each adds its share to what it has. Terms are added one after the
     * other, in the order of the ranks.
     *
     * @param sum gets this rank's share added, {@code [n]}
     * @param in {@code [size() * n]}
     */
    public CompletableFuture<Void> addReduceScatterAsync(Tensor sum, Tensor in) {
        requireShare(sum, in);
        return exchange("reduce-scatter", all -> all.addReduceScatter(sum, in), () -> sum.add_(in));
    }

    /**
     * Collects the shares of all processes.
     *
     * @param out the shares one after the other, {@code [size() * n]}
     * @param in this rank's share, {@code [n]}
     */
    public void allGather(Tensor out, Tensor in) {
        join(allGatherAsync(out, in));
    }

    /** {@link #allGather} in the background. */
    public CompletableFuture<Void> allGatherAsync(Tensor out, Tensor in) {
        requireShare(in, out);
        return exchange("all-gather", all -> all.allGather(out, in), () -> out.copy_(in));
    }

    /**
     * Gives all processes the tensor of one.
     *
     * @param tensor read on the root, written elsewhere
     * @param root its rank
     */
    public void broadcast(Tensor tensor, int root) {
        join(exchange("broadcast", all -> all.broadcast(tensor, root), () -> {}));
    }

    /**
     * Waits until all processes are here.
     *
     * @param where named in the message about those that do not come
     */
    public void barrier(String where) {
        gatherText("", where);
    }

    /**
     * A text of every process, in the order of the ranks.
     *
     * @param where named in the message about those that do not come
     */
    public List<String> gatherText(String text, String where) {
        Rendezvous all = rendezvous;
        return all == null ? List.of(text) : Waits.in(where, () -> all.gather(text, where));
    }

    /** As {@link #gatherText}, by way of tensors, which is quick enough for every step. */
    public List<String> allGather(String text) {
        if (exchanges == null) {
            return List.of(text);
        }
        return Engine.scope("gathering texts", () -> {
            long[] own = PackedText.lengthOf(text);
            Tensor lengths = onDevice(Tensors.of(new long[size()], size()));
            allGather(lengths, onDevice(Tensors.of(own, 1)));
            long[] bytes = Tensors.toLongs(lengths);
            int words = PackedText.words(bytes);
            Tensor gathered = onDevice(Tensors.of(new long[words * size()], (long) words * size()));
            allGather(gathered, onDevice(Tensors.of(PackedText.pack(text, words), words)));
            return PackedText.unpack(Tensors.toLongs(gathered), bytes, words);
        });
    }

    /**
     * A text that rank 0 finds out, however long it takes; where it fails, all fail with its message.
     *
     * @param work called on rank 0 only
     */
    public String onFirst(Supplier<String> work) {
        Rendezvous all = rendezvous;
        return all == null ? work.get() : all.onFirst(work);
    }

    /** A tensor where the group exchanges tensors. */
    public Tensor onDevice(Tensor tensor) {
        return device != null && cuda ? tensor.to(device, tensor.scalar_type()) : tensor;
    }

    /** Host and process number of a rank, for messages. */
    public String processOf(int other) {
        return rendezvous == null ? "process " + ProcessHandle.current().pid() : rendezvous.processOf(other);
    }

    /** Bytes of tensors that this process has sent to others so far, as the algorithms need them. */
    public long bytesSent() {
        return exchanges == null ? 0 : exchanges.bytesSent();
    }

    /** Waits for an exchange in the background and reports its failure. */
    public static void join(CompletableFuture<Void> exchange) {
        try {
            Waits.in("an exchange of tensors", exchange::join);
        } catch (CompletionException e) {
            throw e.getCause() instanceof LlavaException failed ? failed : e;
        }
    }

    private CompletableFuture<Void> exchange(String what, Consumer<Exchanges> work, Runnable alone) {
        Exchanges all = exchanges;
        if (all == null) {
            alone.run();
            return CompletableFuture.completedFuture(null);
        }
        return CompletableFuture.runAsync(
                () -> Engine.scope(what, () -> {
                    try (NoGradGuard guard = new NoGradGuard()) {
                        work.accept(all);
                        return null;
                    }
                }),
                thread);
    }

    private LlavaException failed(@Nullable RuntimeException cause) {
        String why = rendezvous == null ? "" : rendezvous.diagnose("an exchange of tensors");
        return new PeerLostException(
                "rank %d: an exchange with the other processes failed: %s; look at its log, then resume from the newest checkpoint"
                        .formatted(rank.rank(), why),
                cause);
    }

    private void requireShare(Tensor share, Tensor whole) {
        if (share.numel() * size() != whole.numel()) {
            throw new IllegalArgumentException("%d processes with a share of %d elements each make no tensor of %d"
                    .formatted(size(), share.numel(), whole.numel()));
        }
    }

    /** Ends after the exchanges that run in the background, if these end soon; what they use is not freed before. */
    @Override
    public void close() {
        if (exchanges != null) {
            thread.execute(exchanges::close);
        }
        thread.shutdown();
        try {
            thread.awaitTermination(CLOSING.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (device != null) {
            device.releaseReference();
        }
        if (rendezvous != null) {
            rendezvous.close();
        }
    }
}
