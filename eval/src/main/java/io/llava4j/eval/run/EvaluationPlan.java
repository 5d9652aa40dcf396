package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Question;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which benchmarks to run, on which files, and where the results go.
 *
 * @param tasks benchmarks in the order in which they run
 * @param data folder with a folder for each benchmark, or the folder of the only one
 * @param out the run's folder
 * @param limit asks the first {@code limit} questions of each task; 0 for all
 * @param batchSize questions per batch
 * @param blind whether every image is replaced by a blank one
 * @param missingImages what happens to questions whose image is missing or cannot be read
 */
public record EvaluationPlan(
        List<Benchmark> tasks,
        Path data,
        Path out,
        int limit,
        int batchSize,
        boolean blind,
        MissingImagePolicy missingImages) {
    private static final String ANSWERS = "answers.jsonl";

    /** A plan in which every image must be usable. */
    public EvaluationPlan(List<Benchmark> tasks, Path data, Path out, int limit, int batchSize, boolean blind) {
        this(tasks, data, out, limit, batchSize, blind, MissingImagePolicy.FAIL);
    }

    /** @throws ConfigException if the limit is negative or there is no task */
    public EvaluationPlan {
        if (limit < 0) {
            throw new ConfigException("limit must be 0 (no limit) or more, not " + limit);
        }
        if (tasks.isEmpty()) {
            throw new ConfigException("there is no task to run");
        }
    }

    /**
     * The benchmarks that {@code --tasks all} runs: the published ones whose files are below {@code data}, and the
     * zero-shot format tests that have a folder of their own there.
     */
    public static List<Benchmark> available(Path data) {
        return Benchmarks.all().stream()
                .filter(task -> Benchmarks.published().contains(task)
                        ? find(task, data, false).isPresent()
                        : task.files(data.resolve(task.name())).hasQuestions())
                .toList();
    }

    /**
     * The folder with a benchmark's files.
     *
     * @throws DataException if there is none
     */
    public Path folder(Benchmark task) {
        return find(task, data, tasks.size() == 1)
                .orElseThrow(() -> new DataException(
                        "%s: has no folder '%s' with the files of %s; docs/evaluation.md lists them and where to get them"
                                .formatted(data, task.name(), task.title())));
    }

    /** The note of the first custom benchmark among the tasks; empty if all questions are the published ones. */
    public String customNote() {
        return tasks.stream()
                .flatMap(task -> CustomBenchmark.of(folder(task)).stream())
                .map(CustomBenchmark::note)
                .findFirst()
                .orElse("");
    }

    /** Where a task's answers, submission, scores and judge files go. */
    public Path out(Benchmark task) {
        return out.resolve(task.name());
    }

    /** Where a task's answers go. */
    public Path answers(Benchmark task) {
        return out(task).resolve(ANSWERS);
    }

    /** The questions of a task, at most {@code limit}. */
    public List<Question> questions(Benchmark task) {
        List<Question> all = task.questions(folder(task));
        return limit > 0 && limit < all.size() ? all.subList(0, limit) : all;
    }

    /** The folder to which a task's image names are relative. */
    public Path images(Benchmark task) {
        Path work = out(task).resolve("pictures");
        return missingImages == MissingImagePolicy.FAIL
                ? task.images(folder(task), work)
                : task.images(folder(task), work, problem -> {}); // the runner finds no file and counts it
    }

    /** A task's questions and how they are asked. */
    public EvalRunner.Job job(Benchmark task) {
        return new EvalRunner.Job(
                questions(task),
                images(task),
                answers(task),
                CustomBenchmark.decoding(task, folder(task)),
                batchSize,
                blind,
                task::recordedPrompt,
                missingImages,
                task.missingImageAdvice());
    }

    private static Optional<Path> find(Benchmark task, Path data, boolean orItself) {
        Optional<Path> named = Stream.concat(Stream.of(task.name()), task.filePatterns().folders().stream())
                .map(data::resolve)
                .filter(folder -> task.files(folder).hasQuestions())
                .findFirst();
        return named.isEmpty() && orItself && task.files(data).hasQuestions() ? Optional.of(data) : named;
    }
}
