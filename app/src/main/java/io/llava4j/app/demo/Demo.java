package io.llava4j.app.demo;

import io.llava4j.app.bench.PeakMemory;
import io.llava4j.app.run.PhaseTimes;
import io.llava4j.app.terminal.EvaluationProgress;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.TrainingProgress;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.pope.Pope;
import io.llava4j.eval.report.Condition;
import io.llava4j.eval.report.Results;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.Evaluation;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.eval.run.Judge;
import io.llava4j.eval.transport.LocalJudge;
import io.llava4j.eval.vqa.Vqav2;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.ImageDecoder;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import io.llava4j.nano.benchmark.NanoBenchmarkOptions;
import io.llava4j.nano.raw.NanoData;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.raw.NanoWorldOptions;
import io.llava4j.nano.world.Drawings;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole life of a nano LLaVA in one directory: world, mixture, stage 1, stage 2, evaluation of the trained model, of the same
 * model blindfolded and of the model before stage 2, and the report. Every phase can be interrupted and resumes.
 */
public final class Demo {
    private static final Logger LOG = LoggerFactory.getLogger(Demo.class);

    /** How much is drawn, trained and asked. */
    public enum Size {
        /** The demonstration: minutes. */
        FULL(NanoWorldOptions.DEFAULT, 1),
        /** Every phase on a handful of images; the numbers mean nothing. */
        QUICK(NanoWorldOptions.DEFAULT.withCounts(64, 128, 4, 24), 0.03);

        private final NanoWorldOptions world;
        private final NanoBenchmarkOptions benchmarks;

        /** Questions come from the benchmarks, so the world needs none by held-out artists. */
        Size(NanoWorldOptions world, double scale) {
            this.world = world.withCounts(world.stage1(), world.stage2(), world.validationImages(), 0);
            this.benchmarks = NanoBenchmarkOptions.DEFAULT.withScale(scale);
        }
    }

    /** Two images of POPE with their 18 questions each. */
    private static final int EVAL_BATCH = 36;

    private final Path home;
    private final Path directory;
    private final Size size;
    private final Map<String, String> overrides;
    private final BooleanSupplier stopRequested;
    private final PhaseTimes times;

    /**
     * A job.
     *
     * @param home where {@code recipes/} and {@code models/} are
     * @param directory run directory, made or continued
     * @param size how much is done
     * @param overrides of keys of both stages' recipes
     * @param stopRequested true stops at the next safe point
     */
    public Demo(Path home, Path directory, Size size, Map<String, String> overrides, BooleanSupplier stopRequested) {
        this.home = home;
        this.directory = directory;
        this.size = size;
        this.overrides = overrides;
        this.stopRequested = stopRequested;
        this.times = new PhaseTimes(directory.resolve("times.json"));
    }

    /**
     * Runs what is left to do.
     *
     * @return the results, or nothing if a stop was requested before the end
     */
    public Optional<Results> run() {
        Path world = directory.resolve("world");
        NanoData data = new NanoData(
                home,
                world,
                size.world,
                Runtime.getRuntime().availableProcessors(),
                ProgressLine::onStderr,
                stopRequested);
        if (times.measure("world", data::write).isEmpty()
                || times.measure("data", data::build).isEmpty()) {
            return Optional.empty();
        }
        TrainConfig stage1 = recipe("pretrain.yaml", data.stage1(), data, directory.resolve("stage1"), Map.of());
        if (!times.measure("stage 1", () -> train("stage 1", stage1))) {
            return Optional.empty();
        }
        TrainConfig stage2 = recipe(
                "finetune.yaml",
                data.stage2(),
                data,
                directory,
                Map.of(
                        "model.projector",
                        stage1.output()
                                .resolve(TrainingRun.MODEL)
                                .resolve(ModelFiles.PROJECTOR)
                                .toString()));
        if (!times.measure("stage 2", () -> train("stage 2", stage2))) {
            return Optional.empty();
        }
        Path benchmarks = directory.resolve(NanoBenchmarkFiles.FOLDER);
        times.measure("benchmarks", () -> writeBenchmarks(benchmarks));
        Optional<Map<Condition, RunResults>> runs = times.measure("evaluation", () -> evaluate(benchmarks, stage2));
        return runs.map(done -> {
            Results results = new Results(
                    "nano-LLaVA",
                    perCondition(condition -> Vqav2.details(
                            Benchmarks.VQAV2.files(benchmarks.resolve(Benchmarks.VQAV2.name())),
                            plan(benchmarks, condition).answers(Benchmarks.VQAV2))),
                    perCondition(condition -> Pope.details(
                            Benchmarks.POPE.files(benchmarks.resolve(Benchmarks.POPE.name())),
                            plan(benchmarks, condition).answers(Benchmarks.POPE))),
                    done,
                    times.total(),
                    PeakMemory.bytes(),
                    notes());
            results.write(directory.resolve("results.json"));
            new DemoReport(directory, benchmarks.resolve(Benchmarks.VQAV2.name()), times.byPhase())
                    .write(
                            results,
                            perCondition(
                                    condition -> plan(benchmarks, condition).answers(Benchmarks.VQAV2)));
            return results;
        });
    }

    private static <T> Map<Condition, T> perCondition(Function<Condition, T> value) {
        Map<Condition, T> values = new EnumMap<>(Condition.class);
        for (Condition condition : Condition.values()) {
            values.put(condition, value.apply(condition));
        }
        return values;
    }

    private NanoWorld.Result writeBenchmarks(Path benchmarks) {
        try (ProgressLine progress = ProgressLine.onStderr("nano benchmarks", "images")) {
            return NanoBenchmarkFiles.write(
                    benchmarks, size.benchmarks, Runtime.getRuntime().availableProcessors(), progress::update);
        }
    }

    private TrainConfig recipe(String file, Path json, NanoData data, Path output, Map<String, String> more) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("output", output.toString());
        values.put("model.vision-tower", home.resolve("models/nano-tower").toString());
        values.put("model.language-model", home.resolve("models/nano-instruct").toString());
        values.put("data.json", json.toString());
        values.put("data.images", data.images().toString());
        values.putAll(more);
        values.putAll(overrides);
        return new RecipeLoader().load(home.resolve("recipes/nano").resolve(file), values, System.getenv());
    }

    private boolean train(String stage, TrainConfig config) {
        try (ProgressLine progress = ProgressLine.onStderr(stage, "steps")) {
            return TrainingRun.run(config, Objectives::create, true, new TrainingProgress(progress), stopRequested);
        }
    }

    private EvaluationPlan plan(Path benchmarks, Condition condition) {
        return new EvaluationPlan(
                Benchmarks.published(),
                benchmarks,
                directory.resolve("eval").resolve("nano" + condition.suffix()),
                0,
                EVAL_BATCH,
                condition == Condition.BLIND);
    }

    private Optional<Map<Condition, RunResults>> evaluate(Path benchmarks, TrainConfig stage2) {
        Map<Condition, RunResults> runs = new EnumMap<>(Condition.class);
        for (Condition condition : Condition.values()) {
            String name = "nano-llava" + condition.suffix();
            try (LlavaPipeline model = load(condition, stage2);
                    ProgressLine progress =
                            ProgressLine.onStderr("twelve benchmarks, " + condition.title(), "questions")) {
                EvaluationProgress shown = new EvaluationProgress(progress, stopRequested, LOG::warn);
                Evaluation evaluation = new Evaluation(
                        plan(benchmarks, condition),
                        new EvalRunner(model, name, ImageDecoder::decode),
                        name,
                        Judge.local(),
                        shown);
                shown.expect(evaluation.questionCount());
                runs.put(condition, evaluation.run());
            } catch (CancellationException e) {
                // The answers so far are in the files; the next run resumes after them.
                return Optional.empty();
            }
        }
        return Optional.of(runs);
    }

    private LlavaPipeline load(Condition condition, TrainConfig stage2) {
        if (condition != Condition.BEFORE) {
            return LlavaPipeline.open(directory.resolve(TrainingRun.MODEL));
        }
        ModelLoader.Loaded start = Objectives.start(stage2);
        return new LlavaPipeline(start.model(), start.tokenizer().get());
    }

    private static List<String> notes() {
        List<String> notes = new ArrayList<>();
        notes.add(
                "nano numbers: a model of a few million parameters on drawn scenes; they say nothing about LLaVA-1.5's");
        notes.add("LLaVA-Bench and MM-Vet are graded by the local judge %s, a rule that compares words"
                .formatted(LocalJudge.NAME));
        notes.add("evaluation shows drawings of artists' sets that no part of the model was trained on: "
                + String.join(", ", Drawings.load().heldOutSets()));
        return notes;
    }
}
