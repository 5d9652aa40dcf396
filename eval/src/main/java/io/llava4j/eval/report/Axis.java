package io.llava4j.eval.report;

import java.util.Arrays;
import java.util.Locale;

/** Maps values from {@code low..high} to coordinates {@code from..to}. */
record Axis(double low, double high, double from, double to) {
    /** From zero, as losses and learning rates are read, to a little above the largest value. */
    static Axis over(double[] values, double from, double to) {
        double most = Arrays.stream(values).filter(Double::isFinite).max().orElse(1);
        return new Axis(0, most > 0 ? most * 1.02 : 1, from, to);
    }

    /** From a little below the smallest value to a little above the largest. */
    static Axis around(double[] values, double from, double to) {
        double low = Arrays.stream(values).filter(Double::isFinite).min().orElse(0);
        double high = Arrays.stream(values).filter(Double::isFinite).max().orElse(1);
        double margin = high > low ? 0.04 * (high - low) : 0.5;
        return new Axis(low - margin, high + margin, from, to);
    }

    double at(double value) {
        double share = high > low ? (value - low) / (high - low) : 0;
        return from + share * (to - from);
    }

    /** About {@code count} round values within the axis. */
    double[] ticks(int count) {
        double rough = (high - low) / count;
        if (!(rough > 0)) {
            return new double[] {low};
        }
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = rough / power <= 1
                ? power
                : rough / power <= 2 ? 2 * power : rough / power <= 5 ? 5 * power : 10 * power;
        double first = Math.ceil(low / step);
        int ticks = (int) (Math.floor(high / step) - first) + 1;
        double[] values = new double[Math.max(0, ticks)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (first + i) * step;
        }
        return values;
    }

    /** A tick's number, as short as it can be. */
    static String label(double value) {
        if (value == 0) {
            return "0";
        }
        if (Math.abs(value) < 0.01) {
            String text = String.format(Locale.ROOT, "%.1e", value);
            return text.replaceAll("\\.0e", "e").replaceAll("e-0?", "e−");
        }
        String text = String.format(Locale.ROOT, "%.2f", value);
        return text.replaceAll("\\.?0+$", "");
    }
}
