package io.llava4j.app.cli;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.report.EvaluationReport;
import io.llava4j.eval.report.RunComparison;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.run.Evaluation;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.io.Shard;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava eval --tasks}: runs benchmarks, scores them and writes the report. */
final class EvalTasks {
    private static final String ALL = "all";
    private static final Set<Benchmark> READ_TEXT = Set.of(Benchmarks.TEXTVQA, Benchmarks.CHARTQA, Benchmarks.OCRBENCH);

    @Option(
            names = "--tasks",
            required = true,
            split = ",",
            paramLabel = "NAME",
            description = "Names of benchmarks, separated by commas, or all: every benchmark whose folder exists.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Folder with a folder for each benchmark (default: benchmarks beside the model, where"
                    + " llava demo writes them).")
    private @Nullable Path data;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "The run's folder (default: evaluation beside the model).")
    private @Nullable Path out;

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Ask only the first N questions of each benchmark; 0 for all.")
    private int limit;

    @Option(
            names = "--shard",
            paramLabel = "K/N",
            description =
                    "Answer only shard K of N. With the files of all shards in one folder, the same command without"
                            + " --shard merges and scores them.")
    private @Nullable String shard;

    @Option(
            names = "--no-published",
            description = "Show no published results beside this run; nano benchmarks never show any.")
    private boolean noPublished;

    @Option(names = "--json", description = "Print results.json instead of a table.")
    private boolean json;

    /** Runs the tasks, or answers one shard of them. */
    void run(CommandSpec spec, EvalOptions options, JudgeOptions judge) {
        Shard part = shard == null ? null : Shard.parse(shard);
        Path benchmarks = data(spec, options.model());
        EvaluationPlan plan = new EvaluationPlan(
                tasks(benchmarks),
                benchmarks,
                out(options),
                limit,
                options.batchSize(),
                options.blind(),
                options.missingImages());
        // Missing folders are reported before the model is loaded.
        plan.tasks().forEach(plan::folder);
        warnOfPruning(spec, options.model(), plan.tasks());
        PrintWriter stdout = spec.commandLine().getOut();
        try (LlavaPipeline pipeline = options.model().open();
                TaskProgress progress = new TaskProgress(spec.commandLine().getErr())) {
            Evaluation evaluation =
                    new Evaluation(plan, options.runner(pipeline), options.modelId(), judge.judge(spec), progress);
            if (part != null) {
                evaluation.run(part);
                plan.tasks().forEach(task -> stdout.println(part.file(plan.answers(task))));
            } else {
                RunResults results = evaluation.run();
                progress.close();
                report(evaluation, results, plan.out(), stdout);
            }
            stdout.flush();
        }
    }

    private static void warnOfPruning(CommandSpec spec, ModelOptions model, List<Benchmark> tasks) {
        List<String> read =
                tasks.stream().filter(READ_TEXT::contains).map(Benchmark::name).toList();
        if (model.visionTokens() > 0 && !read.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .printf(
                            "Warning: %s ask%s for text in images, for which %d image tokens may not be enough; compare with a"
                                    + " run without --vision-tokens%n",
                            String.join(", ", read), read.size() == 1 ? "s" : "", model.visionTokens());
        }
    }

    private void report(Evaluation evaluation, RunResults results, Path folder, PrintWriter stdout) {
        if (json) {
            stdout.println(JsonMapper.builder()
                    .build()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(results.tree()));
        }
        if (results.tasks().isEmpty()) {
            return;
        }
        EvaluationReport report = new EvaluationReport(
                new RunComparison(Map.of(results.model(), results), noPublished ? List.of() : EvaluationReport.PAPER),
                evaluation.wrongAnswers(results),
                List.of());
        report.write(folder);
        if (!json) {
            stdout.print(report.text());
            stdout.println(folder.resolve("report.html"));
        }
    }

    private Path out(EvalOptions options) {
        return out == null ? options.model().beside(options.blind() ? "evaluation-blind" : "evaluation") : out;
    }

    private Path data(CommandSpec spec, ModelOptions model) {
        if (data != null) {
            return data;
        }
        Path beside = model.beside(NanoBenchmarkFiles.FOLDER);
        if (!Files.isDirectory(beside)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--data is missing, and %s does not exist; 'llava data nano DIR --benchmarks' writes nano benchmarks"
                            .formatted(beside));
        }
        return beside;
    }

    private List<Benchmark> tasks(Path benchmarks) {
        if (names.equals(List.of(ALL))) {
            return EvaluationPlan.available(benchmarks);
        }
        return names.stream().map(Benchmarks::named).distinct().toList();
    }
}
