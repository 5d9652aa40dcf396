package io.llava4j.train.run.shard;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Lets rank 0 read all weights, of which it holds a share: rank 0 says which unit it needs, all gather it, and only rank 0 keeps
 * it, until it needs another one.
 */
final class UnitReader {
    private static final int END = -1;

    private final ProcessGroup group;
    private final List<Unit> units;
    private final int head;
    private boolean reading;
    private @Nullable Unit held;

    /** @param head number of the language model's blocks */
    UnitReader(ProcessGroup group, List<Unit> units, int head) {
        this.group = group;
        this.units = units;
        this.head = head;
    }

    /** Runs what reads on rank 0; fails on all processes where it fails there. */
    void run(Runnable work) {
        LlavaException failure = null;
        if (group.rank().isFirst()) {
            reading = true;
            try {
                work.run();
            } catch (LlavaException e) {
                failure = e;
            } finally {
                release();
                announce(END);
                reading = false;
            }
        } else {
            Engine.scope("a read of rank 0", () -> {
                for (int next = announce(END); next != END; next = announce(END)) {
                    units.get(next).gather();
                    units.get(next).release();
                }
                return null;
            });
        }
        LlavaException problem = failure;
        group.onFirst(() -> {
            if (problem != null) {
                throw problem;
            }
            return "";
        });
    }

    /** Has the elements of a tensor here, before they are read. */
    void fetch(String tensor) {
        Unit.Key key = Unit.Key.of(tensor, head);
        for (int i = 0; i < units.size(); i++) {
            Unit unit = units.get(i);
            if (unit.key().equals(key) && !unit.isGathered()) {
                if (!reading) {
                    throw new IllegalStateException(tensor + " is shared by processes and not gathered now");
                }
                release();
                announce(i);
                unit.gather();
                held = unit;
            }
        }
    }

    private void release() {
        if (held != null) {
            held.release();
            held = null;
        }
    }

    /** The unit that rank 0 names, by its place in the list. */
    private int announce(int unit) {
        return Engine.scope("a read of rank 0", () -> {
            Tensor number = group.onDevice(Tensors.of(new long[] {unit}, 1));
            group.broadcast(number, 0);
            return Math.toIntExact(number.to(torch.ScalarType.Long).item_long());
        });
    }
}
