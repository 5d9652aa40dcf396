package io.llava4j.app.verify;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.TrainingListener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.JsonNode;

/** Keeps the numbers of every step of a run, and compares gradients and parameters where the record has them. */
final class RunRecorder implements TrainingListener {
    private static final double GRADIENT = 1e-5;
    /** Largest difference of a parameter, and the usual one: Adam turns gradients near zero into sign noise. */
    private static final double PARAMETER = 1e-5;

    private static final double USUAL = 1e-6;
    /** Share of a tensor's elements that may differ by more than is usual. */
    private static final double UNUSUAL = 1e-3;
    /** Of the distance moved, at a rate of 1e-3; at a smaller one the weights' own resolution weighs more. */
    private static final double DISTANCE = 1e-4;

    private final String label;
    private final JsonNode run;
    private final Map<String, TensorEntry> expected;
    private final TrainableParameters parameters;
    private final Consumer<CaseResult> out;
    private final Map<String, float[]> start;
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> rates = new ArrayList<>();
    private final List<Double> norms = new ArrayList<>();

    /**
     * @param label begins the name of every result
     * @param run expected numbers
     * @param expected {@code grad_step0.NAME} and {@code param_after_STEP.NAME}
     * @param parameters what is trained, before the first step
     * @param out receives a result per kind of value
     */
    RunRecorder(
            String label,
            JsonNode run,
            Map<String, TensorEntry> expected,
            TrainableParameters parameters,
            Consumer<CaseResult> out) {
        this.label = label;
        this.run = run;
        this.expected = expected;
        this.parameters = parameters;
        this.out = out;
        this.start = copy(view -> view);
    }

    List<Double> losses() {
        return losses;
    }

    List<Double> rates() {
        return rates;
    }

    /** Global norms of the gradients before clipping. */
    List<Double> norms() {
        return norms;
    }

    @Override
    public void gradients(TrainableParameters complete) {
        if (!losses.isEmpty()) {
            return;
        }
        Map<String, float[]> gradients = copy(Tensor::grad);
        // Either measure may hold: large tensors accumulate absolute, near-zero ones relative differences.
        tensors(
                "grad_step0",
                "",
                gradients,
                GRADIENT,
                (actual, wanted) -> Math.min(Deviation.maxAbs(actual, wanted), Deviation.relativeNorm(actual, wanted)));
        norms(
                "grad_norm_per_tensor_step0",
                run.path("grad_norm_per_tensor_step0"),
                GRADIENT,
                name -> Deviation.norm(Objects.requireNonNull(gradients.get(name))));
    }

    @Override
    public void step(Step step) {
        losses.add(step.loss());
        rates.add(step.learningRate());
        norms.add(step.gradientNorm());
        String after = "param_after_" + step.step();
        JsonNode distances = run.path("param_l2_delta").path(Integer.toString(step.step()));
        if (distances.isMissingNode() && expected.keySet().stream().noneMatch(name -> name.startsWith(after + "."))) {
            return;
        }
        Map<String, float[]> now = copy(view -> view);
        tensors(after, "", now, PARAMETER, Deviation::maxAbs);
        tensors(
                after,
                ", share beyond 1e-6",
                now,
                UNUSUAL,
                (actual, wanted) -> Deviation.shareBeyond(actual, wanted, USUAL));
        double resolution = Math.max(1, 1e-3 / run.path("lr").asDouble());
        norms(
                "param_l2_delta_" + step.step(),
                distances,
                DISTANCE * resolution,
                name -> Deviation.distance(
                        Objects.requireNonNull(now.get(name)), Objects.requireNonNull(start.get(name))));
    }

    private Map<String, float[]> copy(Function<Tensor, Tensor> of) {
        return Engine.scope("copying parameters", () -> {
            Map<String, float[]> values = new LinkedHashMap<>();
            parameters.views().forEach((name, view) -> values.put(name, Tensors.toFloats(of.apply(view))));
            return values;
        });
    }

    /** One result for all tensors that the record has under a prefix. */
    private void tensors(
            String prefix,
            String measure,
            Map<String, float[]> actual,
            double tolerance,
            ToDoubleBiFunction<float[], float[]> deviation) {
        Worst worst = new Worst();
        expected.forEach((name, entry) -> {
            if (name.startsWith(prefix + ".")) {
                float[] own = actual.get(name.substring(prefix.length() + 1));
                worst.add(name, own == null ? Double.NaN : deviation.applyAsDouble(own, entry.toFloats()));
            }
        });
        worst.report(prefix + measure, tolerance);
    }

    /** One result for a number per tensor, compared relative to the recorded one. */
    private void norms(String name, JsonNode recorded, double tolerance, ToDoubleFunction<String> actual) {
        Worst worst = new Worst();
        recorded.properties().forEach(entry -> {
            boolean known = start.containsKey(entry.getKey());
            double wanted = entry.getValue().asDouble();
            worst.add(
                    entry.getKey(),
                    known ? Deviation.relative(actual.applyAsDouble(entry.getKey()), wanted) : Double.NaN);
        });
        worst.report(name, tolerance);
    }

    private final class Worst {
        private double error;
        private String tensor = "";
        private int count;

        void add(String name, double deviation) {
            count++;
            if (!(deviation <= error)) {
                error = Math.max(error, deviation);
                tensor = name;
            }
        }

        void report(String name, double tolerance) {
            if (count > 0) {
                boolean ok = error <= tolerance;
                out.accept(new CaseResult(
                        TrainingSuite.NAME,
                        "%s %s (%d)".formatted(label, name, count),
                        error,
                        tolerance,
                        ok ? CaseResult.Status.OK : CaseResult.Status.FAIL,
                        ok ? "" : "worst in " + tensor));
            }
        }
    }
}
