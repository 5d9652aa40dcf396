package io.llava4j.train.run;

import io.llava4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;

/** Losses and gradients of every step of a run, the gradients of all parameters one after the other. */
record Course(List<Double> losses, List<float[]> gradients) implements TrainingListener {
    Course() {
        this(new ArrayList<>(), new ArrayList<>());
    }

    @Override
    public void gradients(TrainableParameters parameters) {
        gradients.add(Tensors.toFloats(parameters.gradients()));
    }

    @Override
    public void step(Step step) {
        losses.add(step.loss());
    }
}
