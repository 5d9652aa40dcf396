package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.judge.JudgeSpec;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.report.UnusableImages;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.Submission;
import io.llava4j.io.Shard;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs a model on a list of benchmarks. Every task has a folder with {@code answers.jsonl}, the submission, and the judge's
 * requests and replies. An interrupted run resumes without repeating work and writes the same files.
 */
public final class Evaluation {
    private static final int SAMPLES_PER_TASK = 12;

    /** Receives progress and notes. */
    public interface Observer {
        /** Progress of a task's answers. */
        void answered(Benchmark task, long done, long total);

        /** What a reader of a task's numbers should know; the results hold it, too. */
        default void warning(Benchmark task, String sentence) {}

        /** Something a user should know. */
        void note(String sentence);
    }

    private final EvaluationPlan plan;
    private final EvalRunner runner;
    private final String modelId;
    private final Judge judge;
    private final Observer observer;

    /**
     * A new or resumed evaluation.
     *
     * @param runner asks the model
     * @param modelId names the model in results
     */
    public Evaluation(EvaluationPlan plan, EvalRunner runner, String modelId, Judge judge, Observer observer) {
        this.plan = plan;
        this.runner = runner;
        this.modelId = modelId;
        this.judge = judge;
        this.observer = observer;
    }

    /** Answers one shard of every task's questions. A later {@link #run()} merges and scores the shards' files. */
    public void run(Shard shard) {
        for (Benchmark task : plan.tasks()) {
            runner.run(plan.job(task).part(shard), (done, total) -> observer.answered(task, done, total));
        }
    }

    /**
     * Answers and scores all tasks, and writes submissions and results.
     *
     * @return results of the tasks that could be scored; the observer's notes report the others
     */
    public RunResults run() {
        List<TaskResult> results = new ArrayList<>();
        for (Benchmark task : plan.tasks()) {
            EvalRunner.Job job = plan.job(task);
            List<Answer> answers = runner.run(job, (done, total) -> observer.answered(task, done, total));
            UnusableImages unusable = EvalRunner.unusableImages(job).orElse(null);
            List<String> warnings = new ArrayList<>();
            if (unusable != null) {
                warnings.add(unusable.warning());
            }
            EvalRunner.truncated(answers).ifPresent(warnings::add);
            score(task, job.answers())
                    .map(result -> result.with(unusable, warnings))
                    .ifPresentOrElse(
                            result -> {
                                results.add(result);
                                result.warnings().forEach(warning -> observer.warning(task, warning));
                            },
                            () -> warnings.forEach(warning -> observer.warning(task, warning)));
        }
        RunResults run = new RunResults(modelId, plan.blind(), plan.limit(), plan.customNote(), results);
        run.write(plan.out());
        return run;
    }

    /** Number of questions of all tasks. */
    public int questionCount() {
        return plan.tasks().stream()
                .mapToInt(task -> plan.questions(task).size())
                .sum();
    }

    private Optional<TaskResult> score(Benchmark task, Path answers) {
        BenchmarkFiles files = task.files(plan.folder(task));
        try {
            Submission submission = task.submission();
            if (submission != null) {
                Path submitted = plan.out(task).resolve(submission.fileName());
                submission.writer().write(files, answers, submitted);
                if (files.find(FileRole.ANNOTATIONS) == null) {
                    observer.note("%s is not scored because %s has no annotations; submit %s"
                            .formatted(task.title(), plan.folder(task), submitted));
                    return Optional.empty();
                }
            }
            return judgeAndScore(task, files, answers);
        } catch (GroundTruthMissingException e) {
            observer.note("%s is not scored: %s%s"
                    .formatted(
                            task.title(),
                            e.getMessage(),
                            task.submission() == null
                                    ? ""
                                    : "; submit "
                                            + plan.out(task)
                                                    .resolve(task.submission().fileName())));
            return Optional.empty();
        } catch (DataException e) {
            if (plan.limit() == 0) {
                throw e;
            }
            observer.note("%s is not scored because only %d questions were asked: %s"
                    .formatted(task.title(), plan.limit(), e.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<TaskResult> judgeAndScore(Benchmark task, BenchmarkFiles files, Path answers) {
        JudgeSpec spec = task.judge();
        Judge chosen = judge(task);
        @Nullable
        Path replies = spec == null
                ? null
                : new Judging(task, spec, chosen, plan.out(task), observer::note).replies(files, answers);
        if (replies == null && spec != null && spec.required()) {
            return Optional.empty();
        }
        return Optional.of(TaskResult.of(
                task,
                task.scorer().score(new ScoreInput(files, answers, replies, false)),
                replies == null ? "" : chosen.name()));
    }

    /** The judge that was named; a custom benchmark may ask for the local rule where none was. */
    private Judge judge(Benchmark task) {
        return !judge.isNamed()
                        && CustomBenchmark.of(plan.folder(task))
                                .filter(CustomBenchmark::localJudge)
                                .isPresent()
                ? Judge.local()
                : judge;
    }

    /** Wrong answers with their images for the report, by task, drawn by a fixed seed. */
    public Map<String, List<ReportSample>> wrongAnswers(RunResults results) {
        Map<String, List<ReportSample>> samples = new LinkedHashMap<>();
        for (TaskResult result : results.tasks()) {
            Benchmark task = result.benchmark();
            Path answers = plan.answers(task);
            if (Files.exists(answers)) {
                samples.put(
                        task.name(),
                        WrongAnswerSamples.draw(
                                result,
                                plan.questions(task),
                                answers,
                                plan.images(task),
                                task.groundTruth(plan.folder(task)),
                                SAMPLES_PER_TASK));
            }
        }
        return samples;
    }
}
