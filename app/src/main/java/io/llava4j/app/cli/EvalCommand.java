package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.report.EvaluationReport;
import io.llava4j.eval.report.RunComparison;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.Evaluation;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.eval.run.Shard;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava eval}: puts benchmarks, or the questions of a file, to a model, greedily. */
@Command(
        name = "eval",
        description =
                "Run a model on benchmarks, or answer a question file; started again, it goes on where it was stopped.",
        footer = {
            "",
            "llava eval -m runs/demo/model --tasks all",
            "    asks the nano benchmarks that llava demo wrote.",
            "llava eval -m DIR --tasks all --data DATA --out RUN",
            "    DATA holds a folder for each benchmark (docs/evaluation.md tells which files); RUN gets answers,",
            "    submissions, results.json and report.html.",
            "llava eval -m DIR --questions FILE --images DIR --answers FILE",
            "    answers one of LLaVA's question files."
        })
final class EvalCommand implements Callable<Integer> {
    private static final String ALL = "all";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @ArgGroup(exclusive = true, multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private What what;

    /** Benchmarks or a question file. */
    static final class What {
        @ArgGroup(exclusive = false, heading = "Benchmarks:%n")
        private @Nullable Tasks tasks;

        @ArgGroup(exclusive = false, heading = "A question file:%n")
        private @Nullable File file;
    }

    /** A run on benchmarks. */
    static final class Tasks {
        @Option(
                names = "--tasks",
                required = true,
                split = ",",
                paramLabel = "NAME",
                description = "Benchmarks by name, separated by commas, or all whose folder is there.")
        private List<String> names = new ArrayList<>();

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description = "A folder for each benchmark, named like it (default: benchmarks beside the model, where"
                        + " llava demo writes them).")
        private @Nullable Path data;

        @Option(
                names = "--out",
                paramLabel = "DIR",
                description = "The run's folder (default: evaluation beside the model).")
        private @Nullable Path out;

        @Option(names = "--limit", paramLabel = "N", description = "Ask the first N questions of each only; 0 for all.")
        private int limit;

        @Option(
                names = "--shard",
                paramLabel = "K/N",
                description =
                        "Answer part K of N only. With the files of all parts in one folder, the same command without"
                                + " --shard merges and scores them.")
        private @Nullable String shard;

        @Option(
                names = "--no-published",
                description = "Show no published results beside this run; they never stand beside nano benchmarks.")
        private boolean noPublished;

        @Option(names = "--json", description = "Print results.json instead of a table.")
        private boolean json;
    }

    /** A question file. */
    static final class File {
        @Option(
                names = "--questions",
                required = true,
                paramLabel = "FILE",
                description = "LLaVA's question file: JSON lines of question_id, image and text.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private Path questions;

        @Option(names = "--images", required = true, paramLabel = "DIR", description = "Folder of the images.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private Path images;

        @Option(
                names = "--answers",
                required = true,
                paramLabel = "FILE",
                description = "Where LLaVA's answers.jsonl is written.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private Path answers;

        @Option(
                names = "--max-new-tokens",
                paramLabel = "N",
                description = "Longest answer (default: 128; benchmarks have their own).")
        private int maxNewTokens = 128;
    }

    @Mixin
    private JudgeOptions judge = new JudgeOptions();

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Questions at once; changes the speed, not the answers (default: ${DEFAULT-VALUE}).")
    private int batchSize = 32;

    @Option(names = "--blind", description = "Replace every image by a blank one.")
    private boolean blind;

    @Option(
            names = "--model-id",
            paramLabel = "NAME",
            description = "Name in the answer file (default: the folder's name and a fingerprint of its weights).")
    private @Nullable String modelId;

    private EvalCommand() {}

    @Override
    public Integer call() {
        if (batchSize < 1) {
            throw new ParameterException(spec.commandLine(), "--batch-size must be 1 or more");
        }
        if (what.file != null) {
            answer(what.file);
        } else if (what.tasks != null) {
            run(what.tasks);
        }
        return CommandLine.ExitCode.OK;
    }

    private String name() {
        return modelId == null ? ModelId.of(model.directory()) : modelId;
    }

    private void answer(File file) {
        if (file.maxNewTokens < 1) {
            throw new ParameterException(spec.commandLine(), "--max-new-tokens must be 1 or more");
        }
        EvalRunner.Job job = new EvalRunner.Job(
                QuestionFile.read(file.questions),
                file.images,
                file.answers,
                GenerationOptions.greedy(file.maxNewTokens),
                batchSize,
                blind);
        try (LlavaPipeline pipeline = model.open();
                ProgressLine progress = ProgressLine.onStderr("answers", "questions")) {
            new EvalRunner(pipeline, name(), ImageDecoder::decode).run(job, progress::update);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(file.answers);
        out.flush();
    }

    private void run(Tasks tasks) {
        Shard shard = tasks.shard == null ? null : Shard.parse(tasks.shard);
        Path data = data(tasks);
        Path folder = tasks.out == null ? model.beside(blind ? "evaluation-blind" : "evaluation") : tasks.out;
        EvaluationPlan plan = new EvaluationPlan(benchmarks(tasks, data), data, folder, tasks.limit, batchSize, blind);
        // Folders that lack are told of before the model is loaded.
        plan.tasks().forEach(plan::folder);
        PrintWriter err = spec.commandLine().getErr();
        PrintWriter out = spec.commandLine().getOut();
        String name = name();
        try (LlavaPipeline pipeline = model.open();
                TaskProgress progress = new TaskProgress(err)) {
            Evaluation evaluation = new Evaluation(
                    plan, new EvalRunner(pipeline, name, ImageDecoder::decode), name, judge.judges(spec), progress);
            if (shard != null) {
                evaluation.run(shard);
                plan.tasks()
                        .forEach(task -> out.println(
                                shard.file(folder.resolve(task.name()).resolve("answers.jsonl"))));
                out.flush();
                return;
            }
            RunResults results = evaluation.run();
            progress.close();
            if (tasks.json) {
                out.println(JsonMapper.builder()
                        .build()
                        .writerWithDefaultPrettyPrinter()
                        .writeValueAsString(results.tree()));
            }
            if (!results.tasks().isEmpty()) {
                EvaluationReport report = new EvaluationReport(
                        new RunComparison(
                                Map.of(name, results), tasks.noPublished ? List.of() : EvaluationReport.PAPER),
                        evaluation.wrongAnswers(results),
                        List.of());
                report.write(folder);
                if (!tasks.json) {
                    out.print(report.text());
                    out.println(folder.resolve("report.html"));
                }
            }
            out.flush();
        }
    }

    private Path data(Tasks tasks) {
        if (tasks.data != null) {
            return tasks.data;
        }
        Path beside = model.beside(NanoBenchmarkFiles.FOLDER);
        if (!Files.isDirectory(beside)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--data is missing, and no %s lies beside the model; 'llava data nano DIR --benchmarks' writes nano benchmarks"
                            .formatted(beside));
        }
        return beside;
    }

    private static List<Benchmark> benchmarks(Tasks tasks, Path data) {
        if (tasks.names.equals(List.of(ALL))) {
            return EvaluationPlan.available(data);
        }
        return tasks.names.stream().map(Benchmarks::named).distinct().toList();
    }

    /** A progress line for each task. */
    private static final class TaskProgress implements Evaluation.Observer, AutoCloseable {
        private final PrintWriter err;
        private @Nullable Benchmark current;
        private @Nullable ProgressLine line;

        TaskProgress(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void answered(Benchmark task, long done, long total) {
            ProgressLine shown = line;
            if (shown == null || !task.equals(current)) {
                close();
                shown = ProgressLine.onStderr(task.title(), "questions");
                line = shown;
                current = task;
            }
            shown.update(done, total);
        }

        @Override
        public void note(String sentence) {
            close();
            err.println("llava: " + sentence);
            err.flush();
        }

        @Override
        public void close() {
            if (line != null) {
                line.close();
                line = null;
                current = null;
            }
        }
    }
}
