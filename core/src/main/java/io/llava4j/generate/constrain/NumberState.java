package io.llava4j.generate.constrain;

import java.math.BigInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Inside a number.
 *
 * @param shape what the number may be
 * @param part where in the number
 * @param digits number of digits of this part
 * @param text what was read
 * @param parent the state after it
 */
record NumberState(NumberShape shape, Part part, int digits, String text, JsonState parent) implements JsonState {
    /** Parts of a number, each named after what was read last. */
    enum Part {
        START,
        SIGN,
        ZERO,
        INTEGER,
        POINT,
        FRACTION,
        E,
        E_SIGN,
        EXPONENT
    }

    @Override
    public void step(int b, Consumer<JsonState> next) {
        Part then = after(b);
        if (then != null) {
            NumberState longer = new NumberState(shape, then, then == part ? digits + 1 : 1, text + (char) b, parent);
            if (longer.isPossible()) {
                next.accept(longer);
            }
        } else if (mayEnd()) {
            parent.step(b, next);
        }
    }

    @Override
    public boolean isComplete() {
        return mayEnd() && parent.isComplete();
    }

    private @Nullable Part after(int b) {
        boolean isDigit = b >= '0' && b <= '9';
        return switch (part) {
            case START -> b == '-' ? Part.SIGN : isDigit ? first(b) : null;
            case SIGN -> isDigit ? first(b) : null;
            case ZERO -> afterInteger(b);
            case INTEGER -> isDigit ? Part.INTEGER : afterInteger(b);
            case POINT -> isDigit ? Part.FRACTION : null;
            case FRACTION -> isDigit ? Part.FRACTION : exponent(b);
            case E -> b == '-' || b == '+' ? Part.E_SIGN : isDigit ? Part.EXPONENT : null;
            case E_SIGN, EXPONENT -> isDigit ? Part.EXPONENT : null;
        };
    }

    private static Part first(int digit) {
        return digit == '0' ? Part.ZERO : Part.INTEGER;
    }

    private @Nullable Part afterInteger(int b) {
        return b == '.' && !shape.isInteger() ? Part.POINT : exponent(b);
    }

    private @Nullable Part exponent(int b) {
        return (b == 'e' || b == 'E') && !shape.isInteger() && !shape.isBounded() ? Part.E : null;
    }

    /** Whether a number that may be written begins so. */
    private boolean isPossible() {
        return switch (part) {
            case START, E, E_SIGN -> true;
            case SIGN -> overlaps(BigInteger.ZERO, shape.largest());
            case ZERO -> overlapsFrom(0);
            case INTEGER -> {
                boolean possible = false;
                for (int more = 0; more <= NumberShape.INTEGER_DIGITS - digits && !possible; more++) {
                    possible = overlapsFrom(more);
                }
                yield possible;
            }
            case POINT, FRACTION -> fraction() <= NumberShape.FRACTION_DIGITS && overlapsFrom(0);
            case EXPONENT ->
                digits <= 3
                        && Integer.parseInt(text, text.length() - digits, text.length(), 10)
                                <= NumberShape.MAX_EXPONENT;
        };
    }

    private boolean mayEnd() {
        return switch (part) {
            case ZERO, INTEGER, FRACTION -> {
                BigInteger value = read().multiply(BigInteger.TEN.pow(shape.fractionDigits() - fraction()));
                yield overlaps(value, value);
            }
            case EXPONENT -> true;
            default -> false;
        };
    }

    private int fraction() {
        return part == Part.FRACTION ? digits : 0;
    }

    /** The digits read so far as one number. */
    private BigInteger read() {
        return new BigInteger(text.replace("-", "").replace(".", ""));
    }

    /** Whether a number is within the bounds that has so many further digits before the point, and any after it. */
    private boolean overlapsFrom(int more) {
        if (!shape.isBounded()) {
            return true;
        }
        BigInteger scale = BigInteger.TEN.pow(more + shape.fractionDigits() - fraction());
        BigInteger from = read().multiply(scale);
        return overlaps(from, from.add(scale).subtract(BigInteger.ONE));
    }

    private boolean overlaps(BigInteger from, BigInteger to) {
        return text.startsWith("-") ? shape.overlaps(to.negate(), from.negate()) : shape.overlaps(from, to);
    }
}
