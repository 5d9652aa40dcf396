package io.llava4j.train.run.shard;

import io.llava4j.model.PassListener;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.bytedeco.pytorch.Tensor;

/**
 * Sums the gradients of processes that have the same parameters. Those of a block of the language model go out while the
 * blocks before it are still computed, in the last micro-batch of a step; the others when the pass is over.
 */
final class GradientExchange implements PassListener, AutoCloseable {
    /** Neighbouring tensors of less than this go out with the rest. */
    private static final int SMALL = 4096;

    private record Range(long offset, long length) {}

    private final ProcessGroup group;
    private final Map<Integer, List<Range>> ofBlocks = new LinkedHashMap<>();
    private final List<Range> rest = new ArrayList<>();
    /** Views of the gradients, which live as long as exchanges in the background need them. */
    private final Weights slices = new Weights();

    private final List<CompletableFuture<Void>> running = new ArrayList<>();
    private boolean last;

    /** @param gradients of all parameters, which outlive this object */
    GradientExchange(ProcessGroup group, ParameterLayout layout, Tensor gradients) {
        this.group = group;
        if (group.size() > 1) {
            divide(layout);
            rest.forEach(range -> addSlice(gradients, range));
            ofBlocks.values().forEach(ranges -> ranges.forEach(range -> addSlice(gradients, range)));
        }
    }

    private void divide(ParameterLayout layout) {
        int current = -1;
        long start = 0;
        for (Map.Entry<String, ParameterLayout.Place> tensor : layout.tensors().entrySet()) {
            int block = Unit.block(tensor.getKey());
            if (block != current) {
                add(current, start, tensor.getValue().offset());
                current = block;
                start = tensor.getValue().offset();
            }
        }
        add(current, start, layout.count());
    }

    private void addSlice(Tensor gradients, Range range) {
        slices.put(range.toString(), gradients.narrow(0, range.offset(), range.length()));
    }

    private void add(int block, long from, long to) {
        if (block >= 0 && to - from >= SMALL) {
            ofBlocks.computeIfAbsent(block, key -> new ArrayList<>()).add(new Range(from, to - from));
        } else if (!rest.isEmpty() && rest.getLast().offset() + rest.getLast().length() == from) {
            Range before = rest.removeLast();
            rest.add(new Range(before.offset(), to - before.offset()));
        } else if (to > from) {
            rest.add(new Range(from, to - from));
        }
    }

    /** Follows the passes; nobody where there is one process. */
    PassListener blocks() {
        return group.size() > 1 ? this : PassListener.NONE;
    }

    void beginMicroBatch(boolean lastOfStep) {
        last = lastOfStep;
    }

    @Override
    public void afterBackward(int block) {
        if (last) {
            send(ofBlocks.getOrDefault(block, List.of()));
        }
    }

    void skipMicroBatch() {
        ofBlocks.keySet().stream().sorted((a, b) -> b - a).forEach(this::afterBackward);
    }

    void finish() {
        send(rest);
        running.forEach(ProcessGroup::join);
        running.clear();
    }

    private void send(List<Range> ranges) {
        for (Range range : ranges) {
            running.add(group.allReduceAsync(slices.get(range.toString())));
        }
    }

    @Override
    public void close() {
        slices.close();
    }
}
