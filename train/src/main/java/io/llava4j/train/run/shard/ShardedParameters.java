package io.llava4j.train.run.shard;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.PassListener;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The share of a process of several: of the values that the optimiser moves and of their gradients, and with
 * {@link Sharding#FULL} of all weights. Every {@link Unit} is divided among all processes. Its gradients are summed when its
 * backward pass is over: with {@link Sharding#OPTIMIZER} in the last micro-batch of a step, otherwise in every one, so that
 * nobody keeps more of them than its share. Shared weights are gathered while the part of the network before theirs is
 * computed, and freed after their own ({@link UnitPasses}): processes with images, without images or without any sample take
 * part in the same exchanges.
 */
public final class ShardedParameters extends ParameterBuffers {
    private final Sharding sharding;
    private final ProcessGroup group;
    private final List<Unit> units = new ArrayList<>();
    /** The part of the network after the blocks. */
    private final int head;

    private final ParameterShare share;
    private final GradientSums sums;
    private final UnitReader reader;
    private final UnitPasses passes;

    /**
     * Shares the weights out, one after the other; exchanges nothing.
     *
     * @param weights all tensors, which may still be in their files; all are replaced, the trainable ones, in 32-bit floats,
     *     and with {@link Sharding#FULL} the others by what is gathered, otherwise the others by copies on the device
     * @param layout of the trainable tensors
     * @param floats 32-bit floats on the device of the run
     * @param type the network reads the trainable tensors in
     * @param group the processes
     * @param sharding what they share; not {@link Sharding#NONE}
     */
    public ShardedParameters(
            Weights weights,
            ParameterLayout layout,
            TensorOptions floats,
            torch.ScalarType type,
            ProcessGroup group,
            Sharding sharding) {
        this.sharding = sharding;
        this.group = group;
        this.head = weights.names().stream().mapToInt(Unit::block).max().orElse(-1) + 1;
        this.sums = new GradientSums(group, sharding != Sharding.OPTIMIZER);
        divide(weights, layout, floats.dtype(Tensors.optionalType(type)));
        this.share = shareOf(layout);
        allocate(share.length(), floats);
        if (sharding == Sharding.FULL && type != torch.ScalarType.Float) {
            allocateCopy(floats, type);
        }
        this.reader = new UnitReader(group, units, head);
        boolean tied = weights.find(CanonicalNames.LM_HEAD) == null;
        this.passes = new UnitPasses(units, sums, head, tied, sharding != Sharding.OPTIMIZER);
        long at = 0;
        for (Unit unit : units) {
            at = moveTrained(unit, weights, layout, at);
            unit.moveFrozen(weights);
        }
        if (sharding != Sharding.FULL) {
            List.copyOf(weights.names()).stream()
                    .filter(name -> !leaves().containsKey(name))
                    .forEach(name -> moveToDevice(weights, name, floats));
        }
        updateCopy();
        weights.beforeReading(reader::fetch);
    }

    private static void moveToDevice(Weights weights, String name, TensorOptions options) {
        Engine.scope("loading " + name, () -> {
            Tensor tensor = weights.read(name);
            weights.put(name, tensor.to(options.device(), tensor.scalar_type()));
            return null;
        });
    }

    /** Divides the tensors into units, in the order of the forward pass. */
    private void divide(Weights weights, ParameterLayout layout, TensorOptions options) {
        Map<Unit.Key, List<String>> trainable = byUnit(layout.tensors().keySet().stream());
        Map<Unit.Key, List<String>> frozen = byUnit(weights.names().stream()
                .filter(name -> sharding == Sharding.FULL && !layout.tensors().containsKey(name)));
        Stream.concat(trainable.keySet().stream(), frozen.keySet().stream())
                .distinct()
                .sorted(Comparator.comparingInt(Unit.Key::part))
                .forEach(key -> units.add(new Unit(
                        key,
                        group,
                        weights,
                        trainable.getOrDefault(key, List.of()),
                        frozen.getOrDefault(key, List.of()),
                        options)));
    }

    private Map<Unit.Key, List<String>> byUnit(Stream<String> names) {
        Map<Unit.Key, List<String>> units = new LinkedHashMap<>();
        names.forEach(name -> units.computeIfAbsent(Unit.Key.of(name, head), key -> new ArrayList<>())
                .add(name));
        return units;
    }

    private ParameterShare shareOf(ParameterLayout layout) {
        List<ParameterShare.Piece> pieces = new ArrayList<>();
        long at = 0;
        for (Unit unit : units) {
            FlatTensors trained = unit.trained();
            if (trained == null) {
                continue;
            }
            long start = trained.shareOffset();
            for (String name : trained.names()) {
                ParameterLayout.Place place = layout.place(name);
                long from = Math.max(start, trained.offset(name));
                long to = Math.min(start + trained.shareLength(), trained.offset(name) + place.length());
                if (from < to) {
                    ParameterShare.add(
                            pieces,
                            new ParameterShare.Piece(
                                    place.offset() + from - trained.offset(name), to - from, at + from - start));
                }
            }
            at += trained.shareLength();
        }
        return new ParameterShare(pieces, at);
    }

    /** Returns the end of the unit's share in {@link #values}. */
    private long moveTrained(Unit unit, Weights weights, ParameterLayout layout, long at) {
        FlatTensors trained = unit.trained();
        FlatTensors gradients = unit.gradients();
        if (trained == null || gradients == null) {
            return at;
        }
        long length = trained.shareLength();
        boolean full = sharding == Sharding.FULL;
        if (full) {
            unit.gathersFrom(trained, compute().narrow(0, at, length));
        } else {
            Tensor memory = trained.allocate();
            memory.zero_();
            trained.attach(memory);
        }
        for (String name : trained.names()) {
            Tensor leaf = trained.tensor(name);
            Engine.scope("loading " + name, () -> {
                Tensor elements = weights.read(name);
                share.copy(elements, layout.place(name).offset(), values());
                if (!full) {
                    leaf.copy_(elements);
                }
                return null;
            });
            leaf.set_requires_grad(true);
            leaf.mutable_grad().put(gradients.tensor(name));
            weights.put(name, leaf);
            leaves().put(name, leaf);
        }
        sums.add(unit, gradients, gradients().narrow(0, at, length));
        return at + length;
    }

    /** The values in the type that the network reads. */
    private Tensor compute() {
        Tensor copy = copy();
        return copy == null ? values() : copy;
    }

    @Override
    public ParameterShare share() {
        return share;
    }

    @Override
    public List<ParameterShare.Piece> written() {
        return share.pieces();
    }

    @Override
    public boolean isWhole() {
        return false;
    }

    @Override
    public Map<String, Tensor> views() {
        return leaves();
    }

    @Override
    public PassListener listener() {
        return passes;
    }

    @Override
    public PassListener evaluationListener() {
        return passes.forwardOnly();
    }

    @Override
    public void zeroGradients() {
        gradients().zero_();
        sums.zero();
    }

    @Override
    public void beginMicroBatch(boolean last) {
        passes.begin(last);
    }

    @Override
    public void skipMicroBatch() {
        passes.skip();
    }

    @Override
    public void reduceGradients() {
        sums.finish();
    }

    @Override
    public void valuesChanged() {
        updateCopy();
        if (sharding != Sharding.FULL) {
            try (NoGradGuard guard = new NoGradGuard()) {
                gatherValues();
            }
        }
    }

    private void gatherValues() {
        long at = 0;
        for (Unit unit : units) {
            FlatTensors trained = unit.trained();
            if (trained != null) {
                // One unit's share in the network's type at a time.
                try (PointerScope scope = new PointerScope()) {
                    Tensor own = values().narrow(0, at, trained.shareLength()).to(trained.type());
                    group.allGather(trained.memory(), own);
                }
                at += trained.shareLength();
            }
        }
    }

    @Override
    public <T> T withWeights(Supplier<T> work) {
        for (Unit unit : units) {
            unit.gather();
            if (!group.rank().isFirst()) {
                unit.release();
            }
        }
        try {
            return work.get();
        } finally {
            units.forEach(Unit::release);
        }
    }

    @Override
    public void readOnFirst(Runnable work) {
        reader.run(work);
    }

    @Override
    public void close() {
        sums.close();
        units.forEach(Unit::close);
        super.close();
    }
}
