package io.llava4j.train.run;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.train.recipe.TrainConfig.OptimizerSpec;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** AdamW with decoupled weight decay, the optimiser of both stages (paper, table 9; docs/reference/training.md#optimizer). */
public final class AdamW implements AutoCloseable {
    private final TrainableParameters parameters;
    private final OptimizerSpec spec;
    private final Weights moments = new Weights();
    private long step;

    /**
     * An optimiser that has not moved yet.
     *
     * @param parameters what it moves
     * @param spec its constants
     */
    public AdamW(TrainableParameters parameters, OptimizerSpec spec) {
        this.parameters = parameters;
        this.spec = spec;
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
        double correction1 = 1 - Math.pow(spec.beta1(), step);
        double correction2 = 1 - Math.pow(spec.beta2(), step);
        try (NoGradGuard guard = new NoGradGuard()) {
            firstMoment().lerp_(parameters.gradients(), Tensors.scalar(1 - spec.beta1()));
            secondMoment()
                    .mul_(Tensors.scalar(spec.beta2()))
                    .addcmul_(parameters.gradients(), parameters.gradients(), Tensors.scalar(1 - spec.beta2()));
            Tensor denominator = secondMoment()
                    .sqrt()
                    .div_(Tensors.scalar(Math.sqrt(correction2)))
                    .add_(Tensors.scalar(spec.epsilon()));
            for (TrainableParameters.Group group : parameters.groups()) {
                double rate = learningRate * TrainableParameters.relativeRate(group, spec);
                Tensor values = part(parameters.values(), group);
                if (group.decay() && spec.weightDecay() > 0) {
                    values.mul_(Tensors.scalar(1 - rate * spec.weightDecay()));
                }
                values.addcdiv_(
                        part(firstMoment(), group), part(denominator, group), Tensors.scalar(-rate / correction1));
            }
        }
    }

    private static Tensor part(Tensor buffer, TrainableParameters.Group group) {
        return buffer.narrow(0, group.offset(), group.length());
    }

    @Override
    public void close() {
        moments.close();
    }
}
