package io.llava4j.app.verify;

/** Distances between arrays; NaN, which no tolerance allows, where they cannot be compared. */
final class Deviation {
    private Deviation() {}

    /** Largest absolute difference; NaN if the lengths differ or a value is NaN. */
    static double maxAbs(float[] actual, float[] wanted) {
        return actual.length == wanted.length ? maxAbs(actual, 0, wanted, 0, actual.length) : Double.NaN;
    }

    /** Largest absolute difference of two ranges. */
    static double maxAbs(float[] actual, int from, float[] wanted, int wantedFrom, int length) {
        double worst = 0;
        for (int i = 0; i < length; i++) {
            worst = Math.max(worst, Math.abs((double) actual[from + i] - wanted[wantedFrom + i]));
        }
        return worst;
    }

    /** Euclidean norm of the difference, relative to that of {@code wanted}; absolute where that is 0. */
    static double relativeNorm(float[] actual, float[] wanted) {
        if (actual.length != wanted.length) {
            return Double.NaN;
        }
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < actual.length; i++) {
            difference += Math.pow((double) actual[i] - wanted[i], 2);
            norm += Math.pow(wanted[i], 2);
        }
        return norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
    }

    /** Difference relative to {@code wanted}; absolute where that is 0. */
    static double relative(double actual, double wanted) {
        double difference = Math.abs(actual - wanted);
        return wanted == 0 ? difference : difference / Math.abs(wanted);
    }

    /** Share of elements further apart than {@code limit}; NaN if the lengths differ. */
    static double shareBeyond(float[] actual, float[] wanted, double limit) {
        if (actual.length != wanted.length) {
            return Double.NaN;
        }
        int beyond = 0;
        for (int i = 0; i < actual.length; i++) {
            beyond += Math.abs((double) actual[i] - wanted[i]) <= limit ? 0 : 1;
        }
        return (double) beyond / actual.length;
    }

    /** Euclidean norm. */
    static double norm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    /** Euclidean distance of arrays of one length. */
    static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.pow((double) a[i] - b[i], 2);
        }
        return Math.sqrt(sum);
    }
}
