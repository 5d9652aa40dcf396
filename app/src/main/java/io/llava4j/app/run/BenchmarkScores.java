package io.llava4j.app.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.generate.ChatModel;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.HeldOut;
import io.llava4j.train.run.TaskScores;
import io.llava4j.train.run.input.DataInputs;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Asks a model that trains the questions of its recipe's benchmarks, and scores them, as {@code llava eval} does. */
public final class BenchmarkScores implements TaskScores {
    private static final String KEY = "evaluation.tasks";

    /** Answers nothing. That this can be scored shows before the first step that the files are complete. */
    private static final ChatModel SILENT =
            (requests, options) -> requests.stream().map(request -> "").toList();

    private final List<Benchmark> tasks;
    private final Path data;
    private final int limit;
    private final int batchSize;
    private final ExifOrientation orientation;
    private final Consumer<String> warnings;
    private final List<String> notes = new ArrayList<>();
    private final RunInputs inputs;
    private boolean warned;

    private BenchmarkScores(
            HeldOut.Config config, int batchSize, ExifOrientation orientation, Consumer<String> warnings) {
        this.tasks = config.tasks().stream().map(BenchmarkScores::named).toList();
        this.data = Objects.requireNonNull(config.taskData());
        this.limit = Objects.requireNonNullElse(config.taskLimit(), 0);
        this.batchSize = batchSize;
        this.orientation = orientation;
        this.warnings = warnings;
        this.inputs = inScratch(this::check);
    }

    /**
     * The benchmarks of a recipe. Reads all questions, ground truth and images.
     *
     * @param warnings receives what a reader of the scores should know, at the first evaluation
     * @return null if the recipe names none
     * @throws ConfigException for a name that no benchmark has, or a benchmark that cannot be scored without a judge
     * @throws DataException for a file or image that is missing or cannot be read
     */
    public static @Nullable BenchmarkScores of(TrainConfig recipe, Consumer<String> warnings) {
        HeldOut.Config config = recipe.evaluation();
        return config == null || config.tasks().isEmpty()
                ? null
                : new BenchmarkScores(
                        config, recipe.batch().perDevice(), recipe.data().orientation(), warnings);
    }

    @Override
    public Map<String, Double> of(ChatModel model) {
        Consumer<String> said = warned ? warning -> {} : warnings;
        warned = true;
        return inScratch(folder -> scores(model, plan(folder), said));
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public RunInputs inputs() {
        return inputs;
    }

    private static Benchmark named(String name) {
        Benchmark task;
        try {
            task = Benchmarks.named(name);
        } catch (ConfigException e) {
            throw new ConfigException(KEY + ": " + e.getMessage(), e);
        }
        if (task.judge() != null && task.judge().required()) {
            throw new ConfigException(
                    "%s: %s is scored by a judge, which training does not ask; remove it, and run llava eval on the trained model"
                            .formatted(KEY, name));
        }
        return task;
    }

    private RunInputs check(Path scratch) {
        EvaluationPlan plan = plan(scratch);
        try {
            scores(SILENT, plan, warning -> {});
            Map<String, RunInputs.Fingerprint> fingerprints = new LinkedHashMap<>();
            for (Benchmark task : tasks) {
                notes.add("%s: each evaluation asks %,d questions of %s, in %s"
                        .formatted(KEY, plan.questions(task).size(), task.title(), plan.folder(task)));
                fingerprints.put("files of the benchmark " + task.name(), DataInputs.ofFiles(files(plan, task)));
            }
            return new RunInputs(fingerprints);
        } catch (DataException e) {
            throw new DataException(KEY + ": " + e.getMessage(), e);
        }
    }

    private Map<String, Double> scores(ChatModel model, EvaluationPlan plan, Consumer<String> said) {
        EvalRunner runner = new EvalRunner(model, "training", image -> ImageDecoder.decode(image, orientation));
        Map<String, Double> scores = new LinkedHashMap<>();
        for (Benchmark task : tasks) {
            EvalRunner.Job job = plan.job(task);
            EvalRunner.truncated(runner.run(job, (done, total) -> {}))
                    .ifPresent(warning -> said.accept(task.title() + ": " + warning));
            Score score = score(task, plan, job.answers());
            score.warnings().forEach(warning -> said.accept(task.title() + ": " + warning));
            scores.put(task.name(), TaskResult.of(task, score, "").value());
        }
        return scores;
    }

    private Score score(Benchmark task, EvaluationPlan plan, Path answers) {
        try {
            return task.scorer().score(new ScoreInput(task.files(plan.folder(task)), answers, null, false));
        } catch (DataException e) {
            throw limit == 0
                    ? e
                    : new DataException(
                            "%s cannot be scored by its first %d questions, as evaluation.task-limit says: %s"
                                    .formatted(task.title(), limit, e.getMessage()),
                            e);
        }
    }

    private EvaluationPlan plan(Path out) {
        return new EvaluationPlan(tasks, data, out, limit, batchSize, false);
    }

    /** The files that questions and scores depend on, by their paths below the folder of all benchmarks. */
    private SortedMap<String, Path> files(EvaluationPlan plan, Benchmark task) {
        BenchmarkFiles files = task.files(plan.folder(task));
        Stream<Path> named = Stream.of(FileRole.values())
                .filter(role -> role != FileRole.IMAGES)
                .flatMap(role -> Stream.ofNullable(files.find(role)))
                .flatMap(BenchmarkScores::filesOf);
        Path images = plan.images(task);
        Stream<Path> shown = plan.questions(task).stream()
                .flatMap(question -> Stream.ofNullable(question.image()))
                .map(images::resolve)
                .filter(file -> file.startsWith(data)); // images within a table are part of it
        SortedMap<String, Path> all = new TreeMap<>();
        Stream.concat(named, shown)
                .forEach(file -> all.put(data.relativize(file).toString(), file));
        return all;
    }

    private static Stream<Path> filesOf(Path fileOrFolder) {
        try (Stream<Path> walk = Files.walk(fileOrFolder)) {
            return walk.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw FileErrors.cannotRead(fileOrFolder, e);
        }
    }

    /** The next evaluation asks another model, so no answer is kept. */
    private static <T> T inScratch(Function<Path, T> work) {
        Path folder;
        try {
            folder = Files.createTempDirectory("llava-scores");
        } catch (IOException e) {
            throw new LlavaException("no temporary folder can be made for answers to benchmarks; free some space", e);
        }
        try {
            return work.apply(folder);
        } finally {
            AtomicFiles.deleteDirectory(folder);
        }
    }
}
