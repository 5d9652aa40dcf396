package io.llava4j.generate.constrain;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Bounds of numbers; null where there is none.
 *
 * @param minimum smallest value
 * @param above all values are larger
 * @param maximum largest value
 * @param below all values are smaller
 */
record NumberBounds(
        @Nullable BigDecimal minimum,
        @Nullable BigDecimal above,
        @Nullable BigDecimal maximum,
        @Nullable BigDecimal below) {
    static final NumberBounds NONE = new NumberBounds(null, null, null, null);

    /** Whether a value is within them. */
    boolean contain(BigDecimal value) {
        return (minimum == null || value.compareTo(minimum) >= 0)
                && (above == null || value.compareTo(above) > 0)
                && (maximum == null || value.compareTo(maximum) <= 0)
                && (below == null || value.compareTo(below) < 0);
    }
}
