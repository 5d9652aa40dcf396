package io.llava4j.train.run;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.run.shard.ParameterLayout;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** AdamW with decoupled weight decay, the optimiser of both stages (paper, table 9; docs/reference/training.md#optimizer). */
public final class AdamW implements AutoCloseable {
    /**
     * AdamW with decoupled weight decay.
     *
     * @param learningRate highest learning rate of the schedule
     * @param projectorLearningRate the projector's own, where it differs ({@code mm_projector_lr})
     * @param weightDecay applied to matrices only, not to biases and norms
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param epsilon added to the denominator
     * @param maxGradNorm gradients are scaled down to this global norm; 0 for no clipping
     */
    public record Config(
            double learningRate,
            @Nullable Double projectorLearningRate,
            @Default("0") double weightDecay,
            @Default("0.9") double beta1,
            @Default("0.999") double beta2,
            @Default("1e-8") double epsilon,
            @Default("0") double maxGradNorm) {

        public Config {
            Require.positive("learning-rate", learningRate);
            if (projectorLearningRate != null) {
                Require.positive("projector-learning-rate", projectorLearningRate);
            }
            Require.notNegative("weight-decay", weightDecay);
            Require.fraction("beta1", beta1);
            Require.fraction("beta2", beta2);
            Require.positive("epsilon", epsilon);
            Require.notNegative("max-grad-norm", maxGradNorm);
        }

        /** PyTorch's values, which are LLaVA's: no decay, no clipping, one rate for all parts. */
        public static Config of(double learningRate) {
            return new Config(learningRate, null, 0, 0.9, 0.999, 1e-8, 0);
        }

        /** A group's learning rate for a base rate of 1. */
        double relativeRate(ParameterLayout.Group group) {
            return group.projector() && projectorLearningRate != null ? projectorLearningRate / learningRate : 1;
        }
    }

    private final TrainableParameters parameters;
    private final Config config;
    private final Weights moments = new Weights();
    private long step;

    /**
     * An optimiser that has not moved yet.
     *
     * @param parameters what it moves
     * @param config its constants
     */
    public AdamW(TrainableParameters parameters, Config config) {
        this.parameters = parameters;
        this.config = config;
        moments.put("first", torch.zeros_like(parameters.values()));
        moments.put("second", torch.zeros_like(parameters.values()));
    }

    /** Running mean of the gradients, {@code [count]}. */
    public Tensor firstMoment() {
        return moments.get("first");
    }

    /** Running mean of the squared gradients, {@code [count]}. */
    public Tensor secondMoment() {
        return moments.get("second");
    }

    /** Steps taken. */
    public long stepsTaken() {
        return step;
    }

    /** Continues after that many steps, with moments restored by the caller. */
    public void resumeAt(long steps) {
        step = steps;
    }

    /**
     * Moves the parameters along their gradients.
     *
     * @param learningRate the schedule's rate of this step; the projector's own is relative to it
     */
    public void step(double learningRate) {
        step++;
        double correction1 = 1 - Math.pow(config.beta1(), step);
        double correction2 = 1 - Math.pow(config.beta2(), step);
        try (NoGradGuard guard = new NoGradGuard()) {
            firstMoment().lerp_(parameters.gradients(), Tensors.scalar(1 - config.beta1()));
            secondMoment()
                    .mul_(Tensors.scalar(config.beta2()))
                    .addcmul_(parameters.gradients(), parameters.gradients(), Tensors.scalar(1 - config.beta2()));
            Tensor denominator = secondMoment()
                    .sqrt()
                    .div_(Tensors.scalar(Math.sqrt(correction2)))
                    .add_(Tensors.scalar(config.epsilon()));
            for (ParameterLayout.Group group : parameters.groups()) {
                double rate = learningRate * config.relativeRate(group);
                Tensor values = part(parameters.values(), group);
                if (group.decay() && config.weightDecay() > 0) {
                    values.mul_(Tensors.scalar(1 - rate * config.weightDecay()));
                }
                values.addcdiv_(
                        part(firstMoment(), group), part(denominator, group), Tensors.scalar(-rate / correction1));
            }
        }
        parameters.valuesChanged();
    }

    private static Tensor part(Tensor buffer, ParameterLayout.Group group) {
        return buffer.narrow(0, group.offset(), group.length());
    }

    @Override
    public void close() {
        moments.close();
    }
}
