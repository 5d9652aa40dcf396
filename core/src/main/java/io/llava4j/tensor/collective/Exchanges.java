package io.llava4j.tensor.collective;

import io.llava4j.LlavaException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** How the tensors of a {@link ProcessGroup} of several processes are exchanged; called on the group's thread only. */
final class Exchanges implements AutoCloseable {
    /** Elements whose terms are exchanged at a time. */
    private static final long CHUNK = ProcessGroup.EXCHANGED_BYTES / Float.BYTES;

    private final Backend backend;
    private final Rank rank;
    private final boolean cuda;
    private final Function<@Nullable RuntimeException, LlavaException> failed;
    private final AtomicLong bytesSent = new AtomicLong();

    /**
     * @param backend closed with this object
     * @param failed says in a sentence why an exchange failed
     */
    Exchanges(Backend backend, Rank rank, boolean cuda, Function<@Nullable RuntimeException, LlavaException> failed) {
        this.backend = backend;
        this.rank = rank;
        this.cuda = cuda;
        this.failed = failed;
    }

    long bytesSent() {
        return bytesSent.get();
    }

    /** Sums a tensor over all processes, in place. */
    void allReduce(Tensor tensor) {
        if (cuda) {
            count(2 * shareOfOthers(tensor));
            await(backend.allreduce(new TensorVector(tensor)));
            return;
        }
        Tensor flat = tensor.view(-1);
        for (long from = 0; from < flat.numel(); from += CHUNK) {
            try (PointerScope scope = new PointerScope()) {
                reduceChunk(flat.narrow(0, from, Math.min(CHUNK, flat.numel() - from)));
            }
        }
    }

    private void reduceChunk(Tensor flat) {
        long share = Math.ceilDiv(flat.numel(), rank.worldSize());
        long padding = share * rank.worldSize() - flat.numel();
        Tensor whole = padding == 0 ? flat : torch.constant_pad_nd(flat, 0, padding);
        Tensor terms = exchangedTerms(whole);
        Tensor sum = terms.narrow(0, 0, share);
        addTerms(sum, terms, 1);
        allGather(whole, sum);
        if (padding > 0) {
            flat.copy_(whole.narrow(0, 0, flat.numel()));
        }
    }

    /** Adds this rank's share of the sum over all processes to {@code sum}. */
    void addReduceScatter(Tensor sum, Tensor in) {
        if (cuda) {
            count(shareOfOthers(in));
            Tensor share = torch.empty_like(sum);
            await(backend._reduce_scatter_base(share, in));
            sum.add_(share);
            return;
        }
        long chunk = Math.max(1, CHUNK / rank.worldSize());
        for (long from = 0; from < sum.numel(); from += chunk) {
            addChunk(sum, in, from, Math.min(chunk, sum.numel() - from));
        }
    }

    /** Exchanges a chunk of every share, so that the terms of one chunk exist at a time. */
    private void addChunk(Tensor sum, Tensor in, long from, long length) {
        try (PointerScope scope = new PointerScope()) {
            Tensor all = length == sum.numel()
                    ? in
                    : in.view(rank.worldSize(), sum.numel())
                            .narrow(1, from, length)
                            .reshape(rank.worldSize() * length);
            addTerms(sum.narrow(0, from, length), exchangedTerms(all), 0);
        }
    }

    /** Collects the shares of all processes. */
    void allGather(Tensor out, Tensor in) {
        count((rank.worldSize() - 1) * bytes(in));
        await(backend._allgather_base(out, in));
    }

    /** Gives all processes the tensor of one. */
    void broadcast(Tensor tensor, int root) {
        BroadcastOptions options = new BroadcastOptions();
        options.rootRank(root);
        count(rank.rank() == root ? bytes(tensor) * (rank.worldSize() - 1) : 0);
        await(backend.broadcast(new TensorVector(tensor), options));
    }

    /** Every process sends each other its share; what this one gets, by rank. */
    private Tensor exchangedTerms(Tensor in) {
        Tensor terms = torch.empty_like(in);
        count(shareOfOthers(in));
        await(backend.alltoall_base(terms, in, new LongVector(), new LongVector()));
        return terms;
    }

    private void addTerms(Tensor sum, Tensor terms, int from) {
        for (int other = from; other < rank.worldSize(); other++) {
            sum.add_(terms.narrow(0, other * sum.numel(), sum.numel()));
        }
    }

    private void await(Work work) {
        boolean done;
        try {
            done = work._wait();
        } catch (RuntimeException e) {
            throw failed.apply(e);
        }
        if (!done) {
            throw failed.apply(null);
        }
    }

    private long shareOfOthers(Tensor whole) {
        return bytes(whole) * (rank.worldSize() - 1) / rank.worldSize();
    }

    private static long bytes(Tensor tensor) {
        return tensor.numel() * tensor.element_size();
    }

    private void count(long bytes) {
        bytesSent.addAndGet(bytes);
    }

    @Override
    public void close() {
        if (cuda) {
            backend.shutdown(); // NCCL's own threads end before their memory goes
        }
        backend.releaseReference();
    }
}
