package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.judge.JudgeSpec;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.Submission;
import io.llava4j.eval.transport.CachedJudge;
import io.llava4j.eval.transport.LocalJudge;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model on a list of benchmarks. Every task has a folder of its own with {@code answers.jsonl}, what is handed in, and
 * what the judge was asked and said; nothing is done twice, so that a run that was killed goes on and ends with the same
 * files.
 */
public final class Evaluation {
    private static final String ANSWERS = "answers.jsonl";
    private static final int SHOWN = 12;

    /**
     * What to run.
     *
     * @param tasks in order
     * @param data holds a folder named after each benchmark, or the files of the only one
     * @param out the run's folder
     * @param limit questions of each task, the first of the file; 0 for all
     * @param batchSize questions at once
     * @param blind whether every image is replaced by a blank one
     */
    public record Plan(List<Benchmark> tasks, Path data, Path out, int limit, int batchSize, boolean blind) {
        /** @throws ConfigException if the limit is negative or there is no task */
        public Plan {
            if (limit < 0) {
                throw new ConfigException("limit must be 0 (no limit) or more, not " + limit);
            }
            if (tasks.isEmpty()) {
                throw new ConfigException("there is no task to run");
            }
        }

        /**
         * The folder of a benchmark.
         *
         * @throws DataException if there is none
         */
        public Path folder(Benchmark task) {
            return find(task, data, tasks.size() == 1)
                    .orElseThrow(() -> new DataException(
                            "%s: has no folder '%s' with the files of %s; docs/evaluation.md tells where to get them"
                                    .formatted(data, task.name(), task.title())));
        }

        /** What is said of the first task's questions that are not the published ones; empty if all are. */
        public String unofficial() {
            return tasks.stream()
                    .flatMap(task -> CustomBenchmark.of(folder(task)).stream())
                    .map(CustomBenchmark::note)
                    .findFirst()
                    .orElse("");
        }

        /** Where a task's answers are. */
        public Path answers(Benchmark task) {
            return out.resolve(task.name()).resolve(ANSWERS);
        }
    }

    /** The twelve whose files are in a folder, and those of the zero-shot formats that have a folder of their own. */
    public static List<Benchmark> available(Path data) {
        return Benchmarks.all().stream()
                .filter(task -> Benchmarks.published().contains(task)
                        ? find(task, data, false).isPresent()
                        : task.files(data.resolve(task.name())).hasQuestions())
                .toList();
    }

    private static Optional<Path> find(Benchmark task, Path data, boolean itself) {
        Optional<Path> named = Stream.concat(Stream.of(task.name()), task.filePatterns().folders().stream())
                .map(data::resolve)
                .filter(folder -> task.files(folder).hasQuestions())
                .findFirst();
        return named.isEmpty() && itself && task.files(data).hasQuestions() ? Optional.of(data) : named;
    }

    /**
     * Who judges.
     *
     * @param name in results; empty where requests are only written to files
     * @param model asked instead of the one each benchmark was published with, or null
     * @param judge replies; null to write requests to files
     * @param replies a file of replies to requests written before, or null
     */
    public record Judges(
            String name,
            @Nullable String model,
            @Nullable Function<JudgeRequest, String> judge,
            @Nullable Path replies) {
        /** The rule that compares words. */
        public static Judges ofWords() {
            return new Judges(LocalJudge.NAME, LocalJudge.NAME, new LocalJudge(), null);
        }

        /** Whether a rule replies, which knows nothing that official rules do not. */
        boolean local() {
            return name.equals(LocalJudge.NAME);
        }
    }

    /** Told of every step. */
    public interface Observer {
        /** Progress of a task's answers. */
        void answered(Benchmark task, long done, long total);

        /** Something a user should know. */
        void note(String sentence);
    }

    private final Plan plan;
    private final EvalRunner runner;
    private final String modelId;
    private final Judges judges;
    private final Observer observer;

    /**
     * An evaluation that starts or goes on.
     *
     * @param runner asks the model
     * @param modelId names the model in results
     */
    public Evaluation(Plan plan, EvalRunner runner, String modelId, Judges judges, Observer observer) {
        this.plan = plan;
        this.runner = runner;
        this.modelId = modelId;
        this.judges = judges;
        this.observer = observer;
    }

    /** Answers a part of every task's questions; scores come with a later {@link #run} beside all shards' files. */
    public void run(Shard shard) {
        for (Benchmark task : plan.tasks()) {
            runner.run(job(task).part(shard), (done, total) -> observer.answered(task, done, total));
        }
    }

    /**
     * Answers, scores and writes what is handed in.
     *
     * @return results of the tasks that could be scored; the others are told of in notes
     */
    public RunResults run() {
        List<TaskResult> results = new ArrayList<>();
        for (Benchmark task : plan.tasks()) {
            EvalRunner.Job job = job(task);
            runner.run(job, (done, total) -> observer.answered(task, done, total));
            score(task, job).ifPresent(results::add);
        }
        RunResults run = new RunResults(modelId, plan.blind(), plan.limit(), plan.unofficial(), results);
        run.write(plan.out());
        return run;
    }

    /** Questions of all tasks. */
    public int questions() {
        return plan.tasks().stream().mapToInt(task -> questions(task).size()).sum();
    }

    private Path out(Benchmark task) {
        return plan.out().resolve(task.name());
    }

    private List<Question> questions(Benchmark task) {
        List<Question> all = task.questions(plan.folder(task));
        return plan.limit() > 0 && plan.limit() < all.size() ? all.subList(0, plan.limit()) : all;
    }

    private EvalRunner.Job job(Benchmark task) {
        return new EvalRunner.Job(
                questions(task),
                task.images(plan.folder(task), out(task).resolve("pictures")),
                plan.answers(task),
                CustomBenchmark.decoding(task, plan.folder(task)),
                plan.batchSize(),
                plan.blind(),
                task::recordedPrompt);
    }

    private Optional<TaskResult> score(Benchmark task, EvalRunner.Job job) {
        BenchmarkFiles files = task.files(plan.folder(task));
        boolean limited = plan.limit() > 0;
        try {
            Submission submission = task.submission();
            if (submission != null) {
                Path handedIn = out(task).resolve(submission.fileName());
                submission.writer().write(files, job.answers(), handedIn);
                if (files.find(FileRole.ANNOTATIONS) == null) {
                    observer.note("%s is not scored, as %s has no answers to it; hand in %s"
                            .formatted(task.title(), plan.folder(task), handedIn));
                    return Optional.empty();
                }
            }
            JudgeSpec judging = task.judge();
            Judges judges = judges(task);
            Path replies = judging == null ? null : judged(task, judging, files, job.answers(), judges);
            if (replies == null && judging != null && judging.required()) {
                return Optional.empty();
            }
            return Optional.of(TaskResult.of(
                    task,
                    task.scorer().score(new ScoreInput(files, job.answers(), replies, false)),
                    replies == null ? "" : judges.name()));
        } catch (GroundTruthMissingException e) {
            observer.note("%s is not scored: %s".formatted(task.title(), e.getMessage()));
            return Optional.empty();
        } catch (DataException e) {
            if (!limited) {
                throw e;
            }
            observer.note("%s is not scored, as only %d questions were asked: %s"
                    .formatted(task.title(), plan.limit(), e.getMessage()));
            return Optional.empty();
        }
    }

    /** Those that were named; for questions that are not the published ones perhaps the local rule instead of none. */
    private Judges judges(Benchmark task) {
        boolean named = judges.judge() != null || judges.replies() != null;
        return !named
                        && CustomBenchmark.of(plan.folder(task))
                                .filter(CustomBenchmark::localJudge)
                                .isPresent()
                ? Judges.ofWords()
                : judges;
    }

    /** Has answers judged; the file of replies, or null where nobody was asked or replies are to come. */
    private @Nullable Path judged(
            Benchmark task, JudgeSpec judging, BenchmarkFiles files, Path answers, Judges judges) {
        if (!judging.required() && judges.local()) {
            return null;
        }
        Path folder = out(task).resolve("judge");
        Path cache = folder.resolve("cache.jsonl");
        CachedJudge judge = new CachedJudge(cache, task.name(), judges.model(), judges.judge());
        Map<String, List<String>> replies = ask(judging, files, answers, judge);
        if (judge.pending() > 0 && judges.replies() != null) {
            int taken = judge.readReplies(judges.replies());
            observer.note("%s: %d replies taken from %s".formatted(task.title(), taken, judges.replies()));
            judge = new CachedJudge(cache, task.name(), judges.model(), null);
            replies = ask(judging, files, answers, judge);
        }
        if (judge.pending() > 0) {
            Path requests = folder.resolve("requests.jsonl");
            judge.writePending(requests);
            observer.note(
                    "%s %s %d replies of a judge: name one with --judge, or have %s answered and run again with --judge-replies FILE"
                            .formatted(
                                    task.title(),
                                    judging.required() ? "waits for" : "is scored without",
                                    judge.pending(),
                                    requests));
            return null;
        }
        if (replies.isEmpty()) {
            return null;
        }
        Path file = folder.resolve("replies.jsonl");
        PythonJson.writeLines(file, replies.entrySet().stream().map(reply -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("id", reply.getKey());
            line.put("replies", reply.getValue());
            return line;
        }));
        return file;
    }

    private static Map<String, List<String>> ask(
            JudgeSpec judging, BenchmarkFiles files, Path answers, Function<JudgeRequest, String> judge) {
        Map<String, List<String>> replies = new LinkedHashMap<>();
        judging.asking().ask(files, answers, request -> {
            String reply = judge.apply(request);
            replies.computeIfAbsent(request.id(), id -> new ArrayList<>()).add(reply);
            return reply;
        });
        return replies;
    }

    /** Images of wrong answers for the report, drawn by a fixed seed. */
    public Map<String, List<ReportSample>> gallery(RunResults results) {
        Map<String, List<ReportSample>> gallery = new LinkedHashMap<>();
        for (TaskResult result : results.tasks()) {
            Benchmark task = result.benchmark();
            Path answers = plan.answers(task);
            if (Files.exists(answers)) {
                Path images = task.images(plan.folder(task), out(task).resolve("pictures"));
                gallery.put(
                        task.name(),
                        WrongAnswerSamples.wrong(
                                result,
                                task.questionSource()::name,
                                questions(task),
                                answers,
                                images,
                                task.groundTruth(plan.folder(task)),
                                SHOWN));
            }
        }
        return gallery;
    }
}
