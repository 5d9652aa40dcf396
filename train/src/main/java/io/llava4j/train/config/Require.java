package io.llava4j.train.config;

import io.llava4j.ConfigException;

/**
 * Checks for the constructors of configuration records. A message begins with the key as the record knows it, such as
 * {@code learning-rate}; {@link RecordBinder} puts the section before it.
 */
public final class Require {
    private Require() {}

    /** @throws ConfigException with this message if the condition does not hold */
    public static void that(boolean condition, String message) {
        if (!condition) {
            throw new ConfigException(message);
        }
    }

    /** @throws ConfigException if the value is below {@code least} */
    public static void atLeast(String key, int value, int least) {
        that(value >= least, "%s must be at least %d, not %d".formatted(key, least, value));
    }

    /** @throws ConfigException if the value is below 1 */
    public static void positive(String key, int value) {
        atLeast(key, value, 1);
    }

    /** @throws ConfigException if the value is not a finite number above 0 */
    public static void positive(String key, double value) {
        that(value > 0 && Double.isFinite(value), key + " must be above 0, not " + value);
    }

    /** @throws ConfigException if the value is not a finite number from 0 up */
    public static void notNegative(String key, double value) {
        that(value >= 0 && Double.isFinite(value), key + " must be 0 or more, not " + value);
    }

    /** @throws ConfigException if the value is outside [0, 1) */
    public static void fraction(String key, double value) {
        that(value >= 0 && value < 1, key + " must be at least 0 and below 1, not " + value);
    }

    /** @throws ConfigException if one key's value does not divide another's */
    public static void divides(String key, int divisor, String ofKey, int value) {
        that(value % divisor == 0, "%s is %d, which does not divide %s, %d".formatted(key, divisor, ofKey, value));
    }
}
