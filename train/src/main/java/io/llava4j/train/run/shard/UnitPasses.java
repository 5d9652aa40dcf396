package io.llava4j.train.run.shard;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.PassListener;
import java.util.List;
import java.util.stream.Stream;

/**
 * Follows the passes of a network whose {@link Unit}s are divided among processes: gathers the weights of a part while the
 * one before is computed, frees them after use, and sums the gradients of a part when its backward pass is over.
 *
 * <p>The exchanges of a pass depend on the model only, not on the samples.
 */
final class UnitPasses implements PassListener {
    private final List<Unit> units;
    private final GradientSums sums;
    /** The part of the network after the blocks. */
    private final int head;
    /** Whether the head's matrix is the table of the token embeddings. */
    private final boolean tied;
    /** Whether gradients are summed after every micro-batch, not only after the last one of a step. */
    private final boolean every;

    private boolean last;
    private boolean backward;

    UnitPasses(List<Unit> units, GradientSums sums, int head, boolean tied, boolean every) {
        this.units = units;
        this.sums = sums;
        this.head = head;
        this.tied = tied;
        this.every = every;
    }

    void begin(boolean lastOfStep) {
        last = lastOfStep;
        backward = false;
    }

    /** What a training pass exchanges, without the pass. */
    void skip() {
        for (int part = INPUTS; part < head; part++) {
            before(part);
            afterForward(part);
        }
        for (int part = head; part >= INPUTS; part--) {
            before(part);
            beforeBackward(part);
            afterBackward(part);
        }
    }

    @Override
    public void before(int part) {
        backward |= part == head;
        used(part).forEach(Unit::gather);
        int next = backward ? part - 1 : part + 1;
        if (next >= INPUTS) {
            used(next).forEach(Unit::prefetch);
        }
    }

    @Override
    public void afterForward(int part) {
        used(part).forEach(Unit::release);
    }

    @Override
    public void beforeBackward(int part) {
        with(part).forEach(sums::begin);
    }

    @Override
    public void afterBackward(int part) {
        used(part).forEach(Unit::release);
        if (last || every) {
            units.stream().filter(unit -> unit.key().part() == part).forEach(sums::reduce);
        }
    }

    /** Units that a part of the network consists of. A head that is tied to the token embeddings has these too. */
    private Stream<Unit> with(int part) {
        return units.stream()
                .filter(unit -> unit.key().part() == part
                        || (part == head && tied && unit.key().name().equals(CanonicalNames.EMBED_TOKENS)));
    }

    /** Units whose weights a part reads now. The backward pass of the embeddings and of a frozen tower reads none. */
    private Stream<Unit> used(int part) {
        return with(part).filter(unit -> !backward || part != INPUTS || leadsToTrainedInput(unit));
    }

    private boolean leadsToTrainedInput(Unit unit) {
        boolean tower = isTrained(CanonicalNames.TOWER);
        return switch (unit.key().name()) {
            case CanonicalNames.TOWER -> tower;
            case CanonicalNames.PROJECTOR -> tower || isTrained(CanonicalNames.PROJECTOR);
            default -> false;
        };
    }

    private boolean isTrained(String name) {
        return units.stream().anyMatch(unit -> unit.key().name().equals(name) && unit.trained() != null);
    }

    /** Follows passes without gradients. */
    PassListener forwardOnly() {
        return new PassListener() {
            @Override
            public void before(int part) {
                with(part).forEach(Unit::gather);
                if (part < head) {
                    with(part + 1).forEach(Unit::prefetch);
                }
            }

            @Override
            public void afterForward(int part) {
                with(part).forEach(Unit::release);
            }
        };
    }
}
