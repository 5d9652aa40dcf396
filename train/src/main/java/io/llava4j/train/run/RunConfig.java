package io.llava4j.train.run;

import io.llava4j.train.config.Require;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** What a run needs to know whatever it trains; recipes implement it as records. */
public interface RunConfig {
    /** Name of what is trained, for progress and messages. */
    Enum<?> stage();

    /** Seed of weights that start at random, data order and sampling. */
    long seed();

    /** Run directory. */
    Path output();

    /** Constants of AdamW. */
    AdamW.Config optimizer();

    /** Length of the run and learning-rate curve. */
    LearningRate.Config schedule();

    /** Samples per optimiser step. */
    MicroBatches.Config batch();

    /** {@code cpu} or {@code cuda:N}. */
    String device();

    /** Threads of the engine; 0 for one per processor. */
    int threads();

    /** When metrics are written. */
    RunFiles.Config logging();

    /** When resumable states are saved. */
    Checkpoints.Config checkpoint();

    /** Threads that the engine may use for one operation: micro-batches that run at once share the machine. */
    default int engineThreads() {
        int all = threads() == 0 ? Runtime.getRuntime().availableProcessors() : threads();
        return Math.max(1, all / batch().parallel());
    }

    /** Samples of one optimiser step on one device. */
    default int samplesPerStep() {
        return batch().perDevice() * batch().accumulation();
    }

    /**
     * Checks what every recipe has at its top level.
     *
     * @throws io.llava4j.ConfigException if a value is impossible
     */
    static void check(String device, int threads) {
        Require.that(
                Pattern.matches("cpu|cuda:\\d{1,3}", device),
                "device is '%s'; write cpu, or cuda:0 for the first GPU".formatted(device));
        Require.atLeast("threads", threads, 0);
    }
}
