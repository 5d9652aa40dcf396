package io.llava4j.app.demo;

import io.llava4j.app.data.NanoData;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.TrainingProgress;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.EvalRunner;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.pope.CocoInstances;
import io.llava4j.eval.pope.PopeBuilder;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScorer;
import io.llava4j.eval.report.Condition;
import io.llava4j.eval.report.Results;
import io.llava4j.eval.vqa.VqaAccuracy;
import io.llava4j.eval.vqa.VqaFiles;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.generate.Answerer;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.ImageDecoder;
import io.llava4j.train.nano.Drawings;
import io.llava4j.train.nano.NanoWorldOptions;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.Objectives;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * The whole life of a nano LLaVA in one directory: world, mixture, stage 1, stage 2, evaluation of the trained model, of the same
 * model blindfolded and of the model before stage 2, and the report. Every phase can be interrupted and goes on where it
 * was.
 */
public final class Demo {
    /** How much is drawn, trained and asked. */
    public enum Size {
        /** The demonstration: minutes. */
        FULL(NanoWorldOptions.DEFAULT, 150),
        /** Every phase on a handful of pictures; the numbers mean nothing. */
        QUICK(NanoWorldOptions.DEFAULT.withCounts(64, 128, 4, 24), 6);

        private final NanoWorldOptions world;
        private final int popeImages;

        Size(NanoWorldOptions world, int popeImages) {
            this.world = world;
            this.popeImages = popeImages;
        }
    }

    /** Objects POPE asks about in each picture. */
    private static final int POPE_OBJECTS = 2;

    private static final int EVAL_BATCH = 32;
    private static final int MAX_NEW_TOKENS = 24;

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
        NanoData data =
                new NanoData(home, world, size.world, Runtime.getRuntime().availableProcessors(), stopRequested);
        if (times.measure("world", data::write).isEmpty()
                || times.measure("data", data::build).isEmpty()) {
            return Optional.empty();
        }
        TrainConfig stage1 = recipe("stage1.yaml", data.stage1(), data, directory.resolve("stage1"), Map.of());
        if (!times.measure("stage 1", () -> train("stage 1", stage1))) {
            return Optional.empty();
        }
        TrainConfig stage2 = recipe(
                "stage2.yaml",
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
        Optional<Evaluation> evaluation = times.measure("evaluation", () -> evaluate(world, stage2));
        return evaluation.map(done -> {
            Results results =
                    new Results("nano-LLaVA", done.vqa(), done.pope(), times.total(), PeakMemory.bytes(), notes());
            results.write(directory.resolve("results.json"));
            new DemoReport(directory, world, times.byPhase()).write(results, done.answers());
            return results;
        });
    }

    /** Scores of all conditions, with the VQA answers for the report. */
    private record Evaluation(
            Map<Condition, VqaScore> vqa,
            Map<Condition, PopeScore> pope,
            Map<Condition, Map<QuestionId, String>> answers) {}

    private TrainConfig recipe(String file, Path json, NanoData data, Path output, Map<String, String> more) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("output", output.toString());
        values.put("model.vision-tower", home.resolve("models/nano-tower").toString());
        values.put("model.language-model", home.resolve("models/nano-language").toString());
        values.put("data.json", json.toString());
        values.put("data.images", data.images().toString());
        values.putAll(more);
        values.putAll(overrides);
        return new RecipeLoader().load(home.resolve("recipes/nano").resolve(file), values, System.getenv());
    }

    private boolean train(String stage, TrainConfig config) {
        try (ProgressLine progress = ProgressLine.onStderr(stage, "steps")) {
            return TrainingRun.run(config, true, new TrainingProgress(progress), stopRequested);
        }
    }

    private Optional<Evaluation> evaluate(Path world, TrainConfig stage2) {
        Path held = world.resolve("eval");
        Benchmark vqav2 = Benchmark.VQAV2;
        var annotations = VqaFiles.readAnnotations(held.resolve("vqa_annotations.json"));
        List<Question> vqa = vqaQuestions(held, vqav2);
        Path popeFolder = directory.resolve("pope");
        List<Question> pope = popeQuestions(held, popeFolder);
        var labels = PopeScorer.readLabels(popeFolder.resolve(PopeFiles.LABELS));

        Map<Condition, VqaScore> vqaScores = new EnumMap<>(Condition.class);
        Map<Condition, PopeScore> popeScores = new EnumMap<>(Condition.class);
        Map<Condition, Map<QuestionId, String>> texts = new EnumMap<>(Condition.class);
        for (Condition condition : Condition.values()) {
            try (LlavaPipeline model = load(condition, stage2)) {
                Optional<List<Answer>> vqaAnswers = ask(model, condition, "vqa", vqa, held);
                Optional<List<Answer>> popeAnswers =
                        vqaAnswers.isEmpty() ? Optional.empty() : ask(model, condition, "pope", pope, held);
                if (vqaAnswers.isEmpty() || popeAnswers.isEmpty()) {
                    return Optional.empty();
                }
                Map<QuestionId, String> byId = new LinkedHashMap<>();
                vqaAnswers.get().forEach(answer -> byId.put(answer.id(), answer.text()));
                texts.put(condition, byId);
                vqaScores.put(condition, VqaAccuracy.score(annotations, byId));
                popeScores.put(
                        condition, PopeScorer.score(pope, labels, popeAnswers.get(), PopeScorer.Matching.OFFICIAL));
            }
        }
        return Optional.of(new Evaluation(vqaScores, popeScores, texts));
    }

    private LlavaPipeline load(Condition condition, TrainConfig stage2) {
        if (condition != Condition.BEFORE) {
            return LlavaPipeline.open(directory.resolve(TrainingRun.MODEL));
        }
        ModelLoader.Loaded start = Objectives.start(stage2);
        return new LlavaPipeline(start.model(), start.tokenizer().get());
    }

    private Optional<List<Answer>> ask(
            Answerer model, Condition condition, String what, List<Question> questions, Path held) {
        String name = what + condition.suffix();
        try (ProgressLine progress =
                ProgressLine.onStderr("evaluation, " + what + " " + condition.title(), "questions")) {
            return Optional.of(new EvalRunner(model, "nano-llava" + condition.suffix(), ImageDecoder::decode)
                    .run(
                            new EvalRunner.Job(
                                    questions,
                                    held.resolve("images"),
                                    directory.resolve("eval").resolve(name + ".jsonl"),
                                    GenerationOptions.greedy(MAX_NEW_TOKENS),
                                    EVAL_BATCH,
                                    condition == Condition.BLIND),
                            (done, total) -> {
                                progress.update(done, total);
                                if (stopRequested.getAsBoolean()) {
                                    throw new CancellationException();
                                }
                            }));
        } catch (CancellationException e) {
            // The answers given so far are in the file; the next run goes on behind them.
            return Optional.empty();
        }
    }

    /** VQAv2's questions in LLaVA's form; pictures are named as COCO names them. */
    private static List<Question> vqaQuestions(Path held, Benchmark benchmark) {
        List<Question> questions = new ArrayList<>();
        for (VqaFiles.VqaQuestion question : VqaFiles.readQuestions(held.resolve("vqa_questions.json"))) {
            questions.add(new Question(
                    question.id(),
                    String.format(Locale.ROOT, "%012d.jpg", question.imageId()),
                    benchmark.render(question.question()),
                    "vqa"));
        }
        return questions;
    }

    private List<Question> popeQuestions(Path held, Path folder) {
        if (Files.exists(folder.resolve(PopeFiles.QUESTIONS))) {
            return QuestionFile.read(folder.resolve(PopeFiles.QUESTIONS));
        }
        var splits = new PopeBuilder(POPE_OBJECTS, size.popeImages, 1)
                .build(CocoInstances.read(held.resolve("instances.json")));
        return PopeFiles.write(folder, splits, Benchmark.POPE::render);
    }

    private static List<String> notes() {
        List<String> notes = new ArrayList<>();
        notes.add(
                "nano numbers: a model of a few million parameters on drawn scenes; they say nothing about LLaVA-1.5's");
        notes.add("evaluation shows drawings of artists' sets that no part of the model was trained on: "
                + String.join(", ", Drawings.load().heldOutSets()));
        return notes;
    }
}
