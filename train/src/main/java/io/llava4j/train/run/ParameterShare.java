package io.llava4j.train.run;

import io.llava4j.tensor.collective.Rank;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Neighbouring elements of all parameters, in the order of their {@link ParameterLayout}.
 *
 * @param offset first element
 * @param length number of elements
 */
record ParameterShare(long offset, long length) {
    /** All elements. */
    static ParameterShare whole(ParameterLayout layout) {
        return new ParameterShare(0, layout.count());
    }

    /** A rank's part of as many equal parts as there are ranks; the last ones may lie beyond the last element. */
    static ParameterShare of(Rank rank, ParameterLayout layout) {
        long length = Math.ceilDiv(layout.count(), rank.worldSize());
        return new ParameterShare(length * rank.rank(), length);
    }

    /** This share of a buffer of all elements. */
    Tensor of(Tensor all) {
        return all.narrow(0, offset, length);
    }

    /**
     * Copies the elements of a tensor that are in this share.
     *
     * @param place of the tensor among all
     * @param into the share's buffer
     */
    void copy(Tensor tensor, ParameterLayout.Place place, Tensor into) {
        long from = Math.max(offset, place.offset());
        long to = Math.min(offset + length, place.offset() + place.length());
        if (from < to) {
            into.narrow(0, from - offset, to - from)
                    .copy_(tensor.reshape(place.length()).narrow(0, from - place.offset(), to - from));
        }
    }

    /** Elements of this share that exist. */
    long existing(ParameterLayout layout) {
        return Math.clamp(layout.count() - offset, 0L, length);
    }

    /** The settings of this share's elements, counted from its first. */
    List<ParameterLayout.Group> groups(ParameterLayout layout) {
        List<ParameterLayout.Group> own = new ArrayList<>();
        for (ParameterLayout.Group group : layout.groups()) {
            long from = Math.max(offset, group.offset());
            long to = Math.min(offset + length, group.offset() + group.length());
            if (from < to) {
                own.add(new ParameterLayout.Group(from - offset, to - from, group.projector(), group.decay()));
            }
        }
        return own;
    }
}
