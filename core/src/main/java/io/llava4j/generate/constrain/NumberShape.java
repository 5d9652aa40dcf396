package io.llava4j.generate.constrain;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Numbers. They have at most {@value #INTEGER_DIGITS} digits before and {@value #FRACTION_DIGITS} after the point, and where
 * they are not bounded a power of ten of at most {@value #MAX_EXPONENT}, so that a model cannot go on with digits for ever
 * and a double holds the result. Integers without bounds of their own have those of a long.
 *
 * @param isInteger whether they have neither point nor exponent
 * @param least smallest value in units of the last digit; null if there is no bound
 * @param greatest largest value in units of the last digit; null if there is no bound
 */
record NumberShape(
        boolean isInteger,
        @Nullable BigInteger least,
        @Nullable BigInteger greatest) implements Shape {
    /** Numbers without bounds. */
    static final NumberShape ANY = new NumberShape(false, null, null);

    static final int INTEGER_DIGITS = 19;
    static final int FRACTION_DIGITS = 20;
    static final int MAX_EXPONENT = 280;

    /** Numbers within bounds. */
    static NumberShape of(boolean isInteger, NumberBounds bounds) {
        BigInteger least = isInteger ? BigInteger.valueOf(Long.MIN_VALUE) : null;
        if (bounds.minimum() != null) {
            least = units(bounds.minimum(), isInteger, RoundingMode.CEILING);
        }
        if (bounds.above() != null) {
            BigInteger next =
                    units(bounds.above(), isInteger, RoundingMode.FLOOR).add(BigInteger.ONE);
            least = least == null ? next : least.max(next);
        }
        BigInteger greatest = isInteger ? BigInteger.valueOf(Long.MAX_VALUE) : null;
        if (bounds.maximum() != null) {
            greatest = units(bounds.maximum(), isInteger, RoundingMode.FLOOR);
        }
        if (bounds.below() != null) {
            BigInteger next =
                    units(bounds.below(), isInteger, RoundingMode.CEILING).subtract(BigInteger.ONE);
            greatest = greatest == null ? next : greatest.min(next);
        }
        return new NumberShape(isInteger, least, greatest);
    }

    private static BigInteger units(BigDecimal value, boolean isInteger, RoundingMode rounding) {
        // Far beyond every number with so many digits, and small enough to compute with.
        BigDecimal limit = BigDecimal.TEN.pow(INTEGER_DIGITS + 1);
        BigDecimal near = value.max(limit.negate()).min(limit);
        return near.setScale(isInteger ? 0 : FRACTION_DIGITS, rounding).unscaledValue();
    }

    /** Whether there is a bound. */
    boolean isBounded() {
        return least != null || greatest != null;
    }

    @Override
    public void start(int b, int depth, JsonState parent, Consumer<JsonState> next) {
        new NumberState(this, NumberState.Part.START, 0, "", parent).step(b, next);
    }

    @Override
    public int levels() {
        return overlaps(largest().negate(), largest()) ? 0 : UNREACHABLE;
    }

    /** The largest number with so many digits, in units of the last digit. */
    BigInteger largest() {
        return BigInteger.TEN.pow(INTEGER_DIGITS + fractionDigits()).subtract(BigInteger.ONE);
    }

    /** Digits after the point that a number may have. */
    int fractionDigits() {
        return isInteger ? 0 : FRACTION_DIGITS;
    }

    /** Whether a number between two, in units of the last digit, is within the bounds. */
    boolean overlaps(BigInteger from, BigInteger to) {
        return (least == null || to.compareTo(least) >= 0)
                && (greatest == null || from.compareTo(greatest) <= 0)
                && (least == null || greatest == null || least.compareTo(greatest) <= 0);
    }

    /** Whether no number is one of both. */
    boolean isApartFrom(NumberShape other) {
        return isBelow(other) || other.isBelow(this);
    }

    private boolean isBelow(NumberShape other) {
        return greatest != null
                && other.least != null
                && new BigDecimal(greatest, fractionDigits())
                                .compareTo(new BigDecimal(other.least, other.fractionDigits()))
                        < 0;
    }
}
