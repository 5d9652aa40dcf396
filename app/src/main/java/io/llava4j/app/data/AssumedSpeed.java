package io.llava4j.app.data;

import io.llava4j.train.recipe.TrainConfig;
import org.jspecify.annotations.Nullable;

/**
 * The speed that an estimate of training time assumes.
 *
 * @param teraflops sustained, in 10^12 operations per second
 * @param basis what it is the speed of
 */
public record AssumedSpeed(double teraflops, String basis) {
    /** What two cores with AVX2 sustained in training, by core (docs/benchmarks.md). */
    private static final double CPU_THREAD = 0.08;

    private static final double A100_BF16_PEAK = 312;
    private static final double SUSTAINED = 0.4;

    /**
     * The speed of the device that a recipe names.
     *
     * @param given by the user, in 10^12 operations per second; null to assume the device's
     */
    public static AssumedSpeed of(TrainConfig config, @Nullable Double given) {
        if (given != null) {
            return new AssumedSpeed(given, "as given");
        }
        if (config.device().startsWith("cuda")) {
            return new AssumedSpeed(
                    A100_BF16_PEAK * SUSTAINED,
                    "%s, if it is one A100 at 40 %% of its peak".formatted(config.device()));
        }
        int threads =
                config.threads() > 0 ? config.threads() : Runtime.getRuntime().availableProcessors();
        return new AssumedSpeed(threads * CPU_THREAD, "%s, %d threads".formatted(config.device(), threads));
    }
}
