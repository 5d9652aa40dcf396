package io.llava4j.train.run;

import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Weights;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.run.feature.ImageFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of a step's micro-batches, several computed at once if the recipe says so. A small network's operations
 * are too short to split over threads; whole micro-batches are not. The sum is formed in the micro-batches' order, so
 * it does not depend on how many run at once.
 */
public final class MicroBatches implements AutoCloseable {
    /**
     * Samples per optimiser step: {@code perDevice * accumulation} on each process.
     *
     * @param perDevice samples of one micro-batch
     * @param accumulation micro-batches of one step on each process; the loss is the mean of their means (docs/reference/training.md#loss)
     * @param parallel micro-batches computed at once, each with its share of the threads: faster for small networks on a
     *     CPU, but it needs memory for the activations of each
     */
    public record Config(
            int perDevice,
            @Default("1") int accumulation,
            @Default("1") int parallel) {
        public Config {
            Require.positive("per-device", perDevice);
            Require.positive("accumulation", accumulation);
            Require.positive("parallel", parallel);
            Require.divides("parallel", parallel, "accumulation", accumulation);
        }
    }

    /** A micro-batch whose gradients were added. */
    record Result(
            double loss,
            List<String> samples,
            long tokens,
            long supervised,
            Truncation truncation,
            Map<String, SourceLoss> bySource,
            ImageFeatures images,
            double operations) {}

    private final Objective objective;
    private final int accumulation;
    /** Micro-batches of a step on all processes. */
    private final int parts;

    private final int atOnce;
    /** Gradients of the running micro-batches, {@code [count]} each. */
    private final Weights slots = new Weights();

    private final @Nullable ExecutorService workers;

    /**
     * @param objective what is computed
     * @param config micro-batches of a step, and how many of them are computed at once
     * @param threads of the engine for each of them
     */
    MicroBatches(Objective objective, Config config, int threads) {
        this.objective = objective;
        this.accumulation = config.accumulation();
        this.parts = config.accumulation() * objective.group().size();
        this.atOnce = config.parallel();
        this.workers = this.atOnce == 1
                ? null
                : Executors.newFixedThreadPool(this.atOnce, task -> {
                    Thread thread = new Thread(
                            () -> {
                                Engine.setThreads(threads);
                                task.run();
                            },
                            "micro-batch");
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Micro-batches of a full step on all processes. */
    int parts() {
        return parts;
    }

    /** Adds the gradients of a step to the parameters'; one result for each micro-batch of this process that has samples. */
    List<Result> run(int step) {
        return workers == null ? inTurn(step) : together(step, workers);
    }

    private List<Result> inTurn(int step) {
        List<Result> results = new ArrayList<>();
        for (int micro = 0; micro < accumulation; micro++) {
            Supplier<Objective.Loss> computation = objective.microBatch(step, micro, accumulation);
            objective.parameters().beginMicroBatch(micro + 1 == accumulation);
            if (computation == null) {
                objective.parameters().skipMicroBatch();
                continue;
            }
            results.add(Engine.scope("a micro-batch", () -> {
                Objective.Loss loss = computation.get();
                loss.backward(parts);
                return result(loss);
            }));
        }
        return results;
    }

    private List<Result> together(int step, ExecutorService on) {
        List<Result> results = new ArrayList<>();
        for (int from = 0; from < accumulation; from += atOnce) {
            List<Supplier<Objective.Loss>> round = new ArrayList<>();
            for (int micro = from; micro < Math.min(from + atOnce, accumulation); micro++) {
                Supplier<Objective.Loss> loss = objective.microBatch(step, micro, accumulation);
                if (loss != null) {
                    round.add(loss);
                }
            }
            results.addAll(together(round, on));
        }
        return results;
    }

    private List<Result> together(List<Supplier<Objective.Loss>> round, ExecutorService on) {
        List<CompletableFuture<Result>> running = new ArrayList<>();
        for (int i = 0; i < round.size(); i++) {
            String slot = "slot " + i;
            if (slots.find(slot) == null) {
                slots.put(slot, torch.zeros_like(objective.parameters().gradients()));
            }
            Supplier<Objective.Loss> computation = round.get(i);
            Tensor gradients = slots.get(slot);
            running.add(CompletableFuture.supplyAsync(
                    () -> Engine.scope("a micro-batch", () -> gradientsInto(gradients, computation)), on));
        }
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < running.size(); i++) {
            try {
                results.add(running.get(i).join());
            } catch (CompletionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw e;
            }
            objective.parameters().gradients().add_(slots.get("slot " + i));
        }
        return results;
    }

    private Result gradientsInto(Tensor target, Supplier<Objective.Loss> computation) {
        Objective.Loss loss = computation.get();
        TensorVector leaves =
                new TensorVector(objective.parameters().leaves().values().toArray(Tensor[]::new));
        TensorVector gradients = torch.grad(
                new TensorVector(loss.share(parts)), leaves, new TensorVector(), new BoolOptional(), false, true);
        long at = 0;
        for (long i = 0; i < leaves.size(); i++) {
            long length = leaves.get(i).numel();
            Tensor part = target.narrow(0, at, length);
            Tensor gradient = gradients.get(i);
            if (gradient.defined()) {
                part.copy_(gradient.reshape(length));
            } else {
                part.zero_();
            }
            at += length;
        }
        return result(loss);
    }

    private static Result result(Objective.Loss loss) {
        return new Result(
                loss.loss().item_double(),
                loss.samples(),
                loss.tokens(),
                loss.supervised(),
                loss.truncation(),
                loss.bySource().get(),
                loss.images(),
                loss.operations());
    }

    @Override
    public void close() {
        if (workers != null) {
            workers.shutdownNow();
        }
        slots.close();
    }
}
