package io.llava4j.train.run.shard;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.Rank;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The elements of all parameters that a process holds in one buffer.
 *
 * @param pieces by their place in the buffer; no element is in two
 * @param length of the buffer, which may have further elements that stand for no parameter
 */
public record ParameterShare(List<Piece> pieces, long length) {
    /**
     * Neighbouring elements.
     *
     * @param offset of the first one in the {@link ParameterLayout}
     * @param length number of elements
     * @param at place of the first one in the buffer
     */
    public record Piece(long offset, long length, long at) {
        private boolean endsAt(Piece next) {
            return offset + length == next.offset && at + length == next.at;
        }
    }

    /** Adds a piece; one that goes on where the last one ends makes that one longer instead. */
    static void add(List<Piece> pieces, Piece next) {
        if (!pieces.isEmpty() && pieces.getLast().endsAt(next)) {
            Piece before = pieces.removeLast();
            pieces.add(new Piece(before.offset(), before.length() + next.length(), before.at()));
        } else {
            pieces.add(next);
        }
    }

    /** All elements, in their order. */
    static ParameterShare whole(ParameterLayout layout) {
        return new ParameterShare(List.of(new Piece(0, layout.count(), 0)), layout.count());
    }

    /** What a rank writes of a buffer of all elements: as many equal parts as there are ranks, the last may be smaller. */
    static List<Piece> part(Rank rank, ParameterLayout layout) {
        long length = Math.ceilDiv(layout.count(), rank.worldSize());
        long from = Math.min(length * rank.rank(), layout.count());
        long count = Math.min(length, layout.count() - from);
        return count == 0 ? List.of() : List.of(new Piece(from, count, from));
    }

    /**
     * Copies the elements that are in this share.
     *
     * @param elements neighbours
     * @param offset of the first one among all
     * @param into the share's buffer
     */
    public void copy(Tensor elements, long offset, Tensor into) {
        long count = elements.numel();
        Tensor flat = elements.reshape(count);
        for (Piece piece : pieces) {
            long from = Math.max(offset, piece.offset());
            long to = Math.min(offset + count, piece.offset() + piece.length());
            if (from < to) {
                into.narrow(0, piece.at() + from - piece.offset(), to - from)
                        .copy_(flat.narrow(0, from - offset, to - from));
            }
        }
    }

    /** Whether any of these elements is in this share. */
    public boolean overlaps(long offset, long count) {
        return pieces.stream()
                .anyMatch(piece -> offset < piece.offset() + piece.length() && offset + count > piece.offset());
    }

    /** The elements of some pieces of a buffer, one piece after the other. */
    public static Tensor concatenated(List<Piece> pieces, Tensor buffer) {
        return pieces.isEmpty()
                ? buffer.narrow(0, 0, 0)
                : Tensors.cat(
                        0,
                        pieces.stream()
                                .map(piece -> buffer.narrow(0, piece.at(), piece.length()))
                                .toArray(Tensor[]::new));
    }

    /** The settings of this share's elements, by their places in its buffer. */
    public List<ParameterLayout.Group> groups(ParameterLayout layout) {
        List<ParameterLayout.Group> own = new ArrayList<>();
        for (Piece piece : pieces) {
            for (ParameterLayout.Group group : layout.groups()) {
                long from = Math.max(piece.offset(), group.offset());
                long to = Math.min(piece.offset() + piece.length(), group.offset() + group.length());
                if (from < to) {
                    own.add(new ParameterLayout.Group(
                            piece.at() + from - piece.offset(), to - from, group.projector(), group.decay()));
                }
            }
        }
        return own;
    }
}
