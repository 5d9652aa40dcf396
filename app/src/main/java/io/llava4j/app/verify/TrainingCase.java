package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.Checkpoints;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.Trainer;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.shard.ParameterLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.JsonNode;

/** One recorded run, repeated by the trainer. */
final class TrainingCase {
    private static final double LOSS = 1e-5;
    private static final double LEARNING_RATE = 1e-12;
    private static final double GRADIENT_NORM = 1e-5;

    private final String label;
    private final JsonNode run;
    private final Path tensors;
    private final Path batches;
    private final Path start;
    private final Consumer<CaseResult> out;

    /**
     * @param label begins the name of every result
     * @param run settings and expected numbers
     * @param tensors file of expected gradients and parameters; may be missing
     * @param batches file of micro-batches
     * @param start folder of the model the run begins with
     * @param out receives a result per kind of value
     */
    TrainingCase(String label, JsonNode run, Path tensors, Path batches, Path start, Consumer<CaseResult> out) {
        this.label = label;
        this.run = run;
        this.tensors = tensors;
        this.batches = batches;
        this.start = start;
        this.out = out;
    }

    void run() {
        if (!run.path("loss").isArray() || run.path("total_steps").asInt(0) < 1) {
            throw new DataException("%s: loss or total_steps is missing".formatted(label));
        }
        if (!Files.isRegularFile(tensors)) {
            repeat(Map.of());
            return;
        }
        try (SafeTensors file = SafeTensors.open(tensors)) {
            repeat(file.tensors());
        }
    }

    private void repeat(Map<String, TensorEntry> expected) {
        int accumulation = run.path("grad_accum").asInt(1);
        int steps = run.path("loss").size();
        try (SafeTensors file = SafeTensors.open(batches)) {
            RecordedExamples examples = new RecordedExamples(file, accumulation);
            TrainConfig config = config(examples, accumulation, false);
            List<float[]> course;
            try (Objective objective = Objectives.create(config, examples)) {
                TrainableParameters parameters = objective.parameters();
                parts(parameters);
                RunRecorder recorder = new RunRecorder(label, run, expected, parameters, out);
                BooleanSupplier enough = () -> recorder.losses().size() >= steps;
                new Trainer(config, objective, Checkpoints.NONE, recorder, enough).run(false);
                series("loss", recorder.losses(), LOSS, false);
                series("lr_used", recorder.rates(), LEARNING_RATE, true);
                series("grad_global_norm", recorder.norms(), GRADIENT_NORM, true);
                course = List.of(floats(recorder.losses()), floats(recorder.norms()), values(parameters));
            }
            checkpointed(config(examples, accumulation, true), examples, course);
        }
    }

    /** The same once more with gradient checkpointing, which must not change a bit of it. */
    private void checkpointed(TrainConfig config, RecordedExamples examples, List<float[]> course) {
        int steps = course.getFirst().length;
        List<Double> losses = new ArrayList<>();
        List<Double> norms = new ArrayList<>();
        TrainingListener listener = step -> {
            losses.add(step.loss());
            norms.add(step.gradientNorm());
        };
        double worst = 0;
        try (Objective objective = Objectives.create(config, examples)) {
            new Trainer(config, objective, Checkpoints.NONE, listener, () -> losses.size() >= steps).run(false);
            worst = Math.max(worst, Deviation.maxAbs(floats(losses), course.get(0)));
            worst = Math.max(worst, Deviation.maxAbs(floats(norms), course.get(1)));
            worst = Math.max(worst, Deviation.maxAbs(values(objective.parameters()), course.get(2)));
        }
        out.accept(CaseResult.within(
                TrainingSuite.NAME, "%s gradient checkpointing changes (%d steps)".formatted(label, steps), worst, 0));
    }

    private static float[] floats(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
    }

    private static float[] values(TrainableParameters parameters) {
        return Engine.scope("copying parameters", () -> Tensors.toFloats(parameters.values()));
    }

    /** The run's settings as a recipe; what the record does not name keeps the stage's default. */
    private TrainConfig config(RecordedExamples examples, int accumulation, boolean checkpointing) {
        int total = run.path("total_steps").asInt();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("output", "unused");
        settings.put("model.base", ConfigFile.quoted(start.toAbsolutePath()));
        settings.put("data.json", ConfigFile.quoted(batches.toAbsolutePath()));
        settings.put("data.max-length", Integer.toString(examples.maxLength()));
        settings.put("gradient-checkpointing", Boolean.toString(checkpointing));
        settings.put("schedule.warmup-ratio", Double.toString(warmupRatio(total)));
        settings.put("schedule.max-steps", Integer.toString(total));
        settings.put("batch.per-device", Integer.toString(examples.perBatch()));
        settings.put("batch.accumulation", Integer.toString(accumulation));
        number(settings, "optimizer.learning-rate", run.path("lr"));
        number(settings, "optimizer.projector-learning-rate", run.path("mm_projector_lr"));
        number(settings, "optimizer.weight-decay", run.path("weight_decay"));
        number(settings, "optimizer.beta1", run.path("betas").path(0));
        number(settings, "optimizer.beta2", run.path("betas").path(1));
        number(settings, "optimizer.epsilon", run.path("eps"));
        number(settings, "optimizer.max-grad-norm", run.path("clip_max_norm"));
        try {
            Path recipe = Files.createTempFile("recorded-run", ".yaml");
            try {
                Files.writeString(recipe, "stage: " + (run.path("stage").asInt() == 1 ? "pretrain" : "finetune"));
                return new RecipeLoader().load(recipe, settings, Map.of());
            } finally {
                Files.delete(recipe);
            }
        } catch (IOException e) {
            throw new DataException("cannot write a recipe to the folder for temporary files: " + e.getMessage(), e);
        }
    }

    private static void number(Map<String, String> settings, String key, JsonNode value) {
        if (value.isNumber()) {
            settings.put(key, Double.toString(value.asDouble()));
        }
    }

    /** LLaVA's 0.03, unless the run was recorded with another number of warm-up steps. */
    private double warmupRatio(int total) {
        int warmup = run.path("warmup_steps").asInt((int) Math.ceil(total * 0.03));
        return warmup == (int) Math.ceil(total * 0.03) ? 0.03 : Math.max(0, (warmup - 0.5) / total);
    }

    /** Which tensors are trainable, and which of them without weight decay. */
    private void parts(TrainableParameters parameters) {
        run.path("param_l2_delta").values().stream()
                .findFirst()
                .ifPresent(delta -> same("trained tensors", parameters.views().keySet(), delta.propertyNames()));
        JsonNode noDecay = run.path("no_decay_parameters");
        if (noDecay.isArray()) {
            Set<String> actual = new TreeSet<>();
            long offset = 0;
            for (Map.Entry<String, Tensor> view : parameters.views().entrySet()) {
                for (ParameterLayout.Group group : parameters.groups()) {
                    if (!group.decay() && offset >= group.offset() && offset < group.offset() + group.length()) {
                        actual.add(view.getKey());
                    }
                }
                offset += view.getValue().numel();
            }
            same(
                    "no_decay_parameters",
                    actual,
                    noDecay.valueStream().map(JsonNode::asString).collect(Collectors.toSet()));
        }
    }

    private void same(String name, Set<String> actual, Collection<String> wanted) {
        Set<String> difference = new TreeSet<>(actual);
        difference.removeAll(wanted);
        wanted.stream().filter(tensor -> !actual.contains(tensor)).forEach(difference::add);
        out.accept(CaseResult.exact(
                TrainingSuite.NAME,
                "%s %s (%d)".formatted(label, name, wanted.size()),
                difference.isEmpty(),
                "they differ in " + difference));
    }

    private void series(String name, List<Double> actual, double tolerance, boolean relative) {
        JsonNode wanted = run.path(name);
        if (!wanted.isArray()) {
            return;
        }
        double worst = actual.size() == wanted.size() ? 0 : Double.NaN;
        for (int i = 0; i < Math.min(actual.size(), wanted.size()); i++) {
            double value = wanted.get(i).asDouble();
            worst = Math.max(
                    worst, relative ? Deviation.relative(actual.get(i), value) : Math.abs(actual.get(i) - value));
        }
        out.accept(CaseResult.within(
                TrainingSuite.NAME, "%s %s (%d steps)".formatted(label, name, wanted.size()), worst, tolerance));
    }
}
