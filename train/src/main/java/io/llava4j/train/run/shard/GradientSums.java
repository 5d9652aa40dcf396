package io.llava4j.train.run.shard;

import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Sums the gradients of units over all processes while the backward pass goes on; each process adds its share to what it has
 * of earlier micro-batches.
 */
final class GradientSums implements AutoCloseable {
    /** Units whose gradients exist at a time: one on its way, and one that is computed. */
    private static final int AT_A_TIME = 2;

    private final ProcessGroup group;
    private final boolean freed;
    /** Views of the sums, which live as long as exchanges in the background need them. */
    private final Weights sums = new Weights();

    private final List<Unit> units = new ArrayList<>();
    private final Deque<Running> running = new ArrayDeque<>();

    /** An exchange with the memory that is free when it is over. */
    private record Running(
            CompletableFuture<Void> exchange, @Nullable Tensor memory) {}

    /**
     * @param group processes that sum
     * @param freed whether gradients have memory only from the backward pass of their unit to their exchange
     */
    GradientSums(ProcessGroup group, boolean freed) {
        this.group = group;
        this.freed = freed;
    }

    /** Adds a unit whose share of this process is summed here. */
    void add(Unit unit, FlatTensors gradients, Tensor sum) {
        units.add(unit);
        sums.put(unit.key().name(), sum);
        if (!freed) {
            Tensor memory = gradients.allocate();
            memory.zero_();
            gradients.attach(memory);
        }
    }

    /** Sets the gradients that have memory to zero. */
    void zero() {
        units.stream().map(Unit::gradients).forEach(gradients -> {
            if (gradients != null && gradients.isAttached()) {
                gradients.memory().zero_();
            }
        });
    }

    /** Makes room for the gradients of a unit. */
    void begin(Unit unit) {
        FlatTensors gradients = unit.gradients();
        if (gradients == null || gradients.isAttached()) {
            return;
        }
        while (running.size() >= AT_A_TIME) {
            finishFirst();
        }
        Tensor memory = gradients.allocate();
        memory.zero_();
        gradients.attach(memory);
    }

    /** Sums the gradients of a unit, which are complete. */
    void reduce(Unit unit) {
        FlatTensors gradients = unit.gradients();
        if (gradients != null) {
            Tensor memory = freed ? gradients.take() : gradients.memory();
            running.add(new Running(
                    group.addReduceScatterAsync(sums.get(unit.key().name()), memory), freed ? memory : null));
        }
    }

    /** Waits until all sums are complete. */
    void finish() {
        while (!running.isEmpty()) {
            finishFirst();
        }
    }

    private void finishFirst() {
        Running first = running.remove();
        ProcessGroup.join(first.exchange());
        if (first.memory() != null) {
            first.memory().releaseReference();
        }
    }

    @Override
    public void close() {
        running.stream().map(Running::memory).forEach(memory -> {
            if (memory != null) {
                memory.releaseReference();
            }
        });
        sums.close();
    }
}
