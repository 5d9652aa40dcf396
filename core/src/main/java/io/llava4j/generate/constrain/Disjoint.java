package io.llava4j.generate.constrain;

/** Whether no document fits two rules; where that is not decided, the answer is no. */
final class Disjoint {
    /** Levels of arrays and objects that are compared. */
    private static final int LEVELS = 4;

    private Disjoint() {}

    static boolean are(ValueRule a, ValueRule b) {
        return are(a, b, LEVELS);
    }

    private static boolean are(ValueRule a, ValueRule b, int levels) {
        return a.shapes().stream().allMatch(shape -> b.shapes().stream().allMatch(other -> are(shape, other, levels)));
    }

    private static boolean are(Shape a, Shape b, int levels) {
        return switch (a) {
            case Shape.Literal literal ->
                b instanceof Shape.Literal other ? !literal.isSame(other) : !literal.isNumber() || !isNumber(b);
            case NumberShape number -> b instanceof NumberShape other ? number.isApartFrom(other) : !isNumber(b);
            case TextShape text -> !(b instanceof TextShape other) || areTexts(text, other);
            case ArrayShape array -> !(b instanceof ArrayShape other) || areArrays(array, other, levels);
            case ObjectShape object -> !(b instanceof ObjectShape other) || areObjects(object, other, levels);
        };
    }

    private static boolean isNumber(Shape shape) {
        return shape instanceof NumberShape || shape instanceof Shape.Literal literal && literal.isNumber();
    }

    private static boolean areTexts(TextShape a, TextShape b) {
        if (a instanceof TextShape.OneOf texts) {
            return texts.names().names().stream().noneMatch(b::allows);
        }
        if (b instanceof TextShape.OneOf texts) {
            return texts.names().names().stream().noneMatch(a::allows);
        }
        return a instanceof TextShape.Length one
                && b instanceof TextShape.Length other
                && (one.max() < other.min() || other.max() < one.min());
    }

    private static boolean areArrays(ArrayShape a, ArrayShape b, int levels) {
        if (a.max() < b.min() || b.max() < a.min()) {
            return true;
        }
        int count = Math.min(Math.max(a.min(), b.min()), Math.max(a.firstCount(), b.firstCount()) + 1);
        for (int i = 0; levels > 0 && i < count; i++) {
            if (are(a.element(i), b.element(i), levels - 1)) {
                return true;
            }
        }
        return false;
    }

    /** A property that one of them requires has values that no document of both can have. */
    private static boolean areObjects(ObjectShape a, ObjectShape b, int levels) {
        return levels > 0
                && (a.requiredNames().stream().anyMatch(name -> are(a.value(name), b.value(name), levels - 1))
                        || b.requiredNames().stream().anyMatch(name -> are(a.value(name), b.value(name), levels - 1)));
    }
}
