package io.llava4j.app.ablate;

import io.llava4j.LlavaException;
import io.llava4j.app.run.PhaseTimes;
import io.llava4j.app.terminal.EvaluationProgress;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.report.LadderReport;
import io.llava4j.eval.report.LadderStep;
import io.llava4j.eval.report.ResultTable;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.Evaluation;
import io.llava4j.eval.run.Judge;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.io.OutputLock;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a ladder: every step at every seed, the first seed of all steps first, so that there is something to look at early. What
 * is done already is kept; the report is written anew after every model.
 */
public final class LadderRun {
    private final LadderSource source;
    private final Path root;
    private final Path folder;
    private final Trainer trainer;
    private final BooleanSupplier stopRequested;
    private final Consumer<String> notes;
    private final PhaseTimes times;
    private final SharedTowers towers = new SharedTowers();
    private final Map<String, Map<Long, RunResults>> results = new LinkedHashMap<>();
    private final Map<String, List<Double>> seconds = new LinkedHashMap<>();

    /**
     * A run that is new or continues.
     *
     * @param root folder that ladders share: mixtures, trained models, evaluations
     * @param name of this ladder's folder in it, which gets the report
     * @param trainer trains what is left to train
     * @param stopRequested true stops at the next safe point
     * @param notes receives a sentence for each model that is done, and warnings
     */
    public LadderRun(
            LadderSource source,
            Path root,
            String name,
            Trainer trainer,
            BooleanSupplier stopRequested,
            Consumer<String> notes) {
        this.source = source;
        this.trainer = trainer;
        this.root = root;
        this.folder = root.resolve(name);
        this.stopRequested = stopRequested;
        this.notes = notes;
        this.times = new PhaseTimes(root.resolve("times.json"));
    }

    /**
     * The number of trainings of each step: to be done, shared with a step above, done already. Nothing is written.
     *
     * @throws io.llava4j.ConfigException if a step's recipe is wrong
     */
    public ResultTable plan() {
        Set<Path> known = new HashSet<>();
        List<List<String>> rows = new ArrayList<>();
        for (int step = 0; step < source.ladder().steps().size(); step++) {
            int toTrain = 0;
            int done = 0;
            int shared = 0;
            for (long seed : source.ladder().seeds()) {
                for (TrainConfig config : trial(step, seed).trainings()) {
                    if (!known.add(config.output())) {
                        shared++;
                    } else if (isDone(config)) {
                        done++;
                    } else {
                        toTrain++;
                    }
                }
            }
            Ladder.Step its = source.ladder().steps().get(step);
            rows.add(List.of(its.name(), String.valueOf(toTrain), String.valueOf(shared), String.valueOf(done)));
        }
        return new ResultTable(List.of("Step", "to train", "shared", "done"), rows, -1);
    }

    private Trial trial(int step, long seed) {
        return Trial.of(source, step, seed, root, trainer.processes());
    }

    private static boolean isDone(TrainConfig config) {
        return Files.exists(config.output().resolve(TrainingRun.MODEL));
    }

    /**
     * Runs what is left to do.
     *
     * @return the report, or nothing if a stop was requested before the end
     * @throws io.llava4j.ConfigException if another run is using the root folder, or a step's recipe is wrong, before
     *     anything is trained
     */
    public Optional<LadderReport> run() {
        try (OutputLock lock = OutputLock.of(root)) {
            List<Long> seeds = source.ladder().seeds();
            for (long seed : seeds) {
                for (int step = 0; step < source.ladder().steps().size(); step++) {
                    trial(step, seed);
                }
            }
            for (long seed : seeds) {
                for (int step = 0; step < source.ladder().steps().size(); step++) {
                    String name = source.ladder().steps().get(step).name();
                    Optional<RunResults> measured = measured(trial(step, seed), name, seed);
                    if (measured.isEmpty()) {
                        return Optional.empty();
                    }
                    results.computeIfAbsent(name, added -> new LinkedHashMap<>())
                            .put(seed, measured.get());
                    report().write(folder);
                }
            }
            return Optional.of(report());
        } catch (CancellationException e) {
            return Optional.empty(); // answers so far are in the files
        }
    }

    private Optional<RunResults> measured(Trial trial, String step, long seed) {
        try {
            if (!build(trial.mixture())) {
                return Optional.empty();
            }
            for (TrainConfig config : trial.trainings()) {
                if (!train(config, step, seed)) {
                    return Optional.empty();
                }
            }
            RunResults run = evaluate(trial, step, seed);
            seconds.computeIfAbsent(step, added -> new ArrayList<>()).add(seconds(trial));
            return Optional.of(run);
        } catch (LlavaException e) {
            throw new LlavaException("step '%s', seed %d: %s".formatted(step, seed, e.getMessage()), e);
        }
    }

    private boolean build(Trial.@Nullable Mixture mixture) {
        return mixture == null
                || MixtureBuilder.build(
                                mixture.recipe(),
                                mixture.folder(),
                                MixtureBuilder.Format.JSON,
                                Runtime.getRuntime().availableProcessors(),
                                ProgressLine::onStderr,
                                stopRequested)
                        .isPresent();
    }

    /** Trains a recipe; of one that is done it checks settings and inputs. */
    private boolean train(TrainConfig config, String step, long seed) {
        String what =
                "%s, seed %d, %s".formatted(step, seed, config.stage().name().toLowerCase(Locale.ROOT));
        return isDone(config)
                ? new OneProcess(stopRequested).train(config, what)
                : times.measure(name(config), () -> trainer.train(config, what));
    }

    private static String name(TrainConfig config) {
        return String.valueOf(config.output().getFileName());
    }

    /** Seconds that a trial's training took, whichever ladder trained it. */
    private double seconds(Trial trial) {
        return trial.trainings().stream()
                .mapToDouble(config -> times.byPhase().getOrDefault(name(config), 0.0))
                .sum();
    }

    private RunResults evaluate(Trial trial, String step, long seed) {
        Path out = trial.evaluation().out();
        if (Files.exists(out.resolve(RunResults.FILE))) {
            return RunResults.read(out);
        }
        String name = "%s, seed %d".formatted(step, seed);
        try (LlavaPipeline model = towers.open(trial.model(), trial.device());
                ProgressLine progress = ProgressLine.onStderr(name, "questions")) {
            EvaluationProgress shown = new EvaluationProgress(
                    progress, stopRequested, sentence -> notes.accept("%s: %s".formatted(name, sentence)));
            // The name in the answers is the trained run's: steps that are equal share them.
            Evaluation evaluation = new Evaluation(
                    trial.evaluation(),
                    new EvalRunner(model, name(trial.finetune()), ImageDecoder::decode),
                    name(trial.finetune()),
                    trial.localJudge() ? Judge.local() : Judge.none(),
                    shown);
            shown.expect(evaluation.questionCount());
            return evaluation.run();
        }
    }

    private LadderReport report() {
        Ladder ladder = source.ladder();
        List<LadderStep> steps = new ArrayList<>();
        for (int i = 0; i < ladder.steps().size(); i++) {
            Ladder.Step step = ladder.steps().get(i);
            Map<Long, RunResults> measured = results.getOrDefault(step.name(), Map.of());
            if (!measured.isEmpty()) {
                steps.add(new LadderStep(
                        step.name(),
                        i == 0 ? "" : ladder.steps().get(ladder.before(i)).name(),
                        step.paper(),
                        step.set(),
                        measured,
                        seconds.getOrDefault(step.name(), List.of())));
            }
        }
        return new LadderReport(ladder.title(), ladder.claim(), ladder.seeds(), steps);
    }
}
