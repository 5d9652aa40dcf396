package io.llava4j.app.cli;

import io.llava4j.DataException;
import io.llava4j.app.run.MetricsFile;
import io.llava4j.eval.report.Charts;
import io.llava4j.eval.report.EvaluationReport;
import io.llava4j.eval.report.RunComparison;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.report.TrainingCurve;
import io.llava4j.io.AtomicFiles;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava plot}: draws runs beside each other. */
@Command(
        name = "plot",
        description = "Compare runs: radar chart, table, paired test, loss curves.",
        footer = {
            "",
            "A run is a folder of llava eval --tasks (results.json) or of llava train (metrics.jsonl), or both."
        })
final class PlotCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--runs",
            required = true,
            arity = "1..*",
            paramLabel = "DIR",
            description = "Runs; the first is compared with the others.")
    private List<Path> runs = new ArrayList<>();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where report.html, report.md, radar.svg and loss curves go (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("plots");

    @Option(names = "--published", description = "Show the paper's models beside the runs.")
    private boolean published;

    private PlotCommand() {}

    @Override
    public Integer call() {
        Map<String, RunResults> results = new LinkedHashMap<>();
        List<TrainingCurve> curves = new ArrayList<>();
        for (Path run : runs) {
            boolean evaluated = Files.exists(run.resolve(RunResults.FILE));
            boolean trained = Files.exists(run.resolve(MetricsFile.NAME));
            if (!evaluated && !trained) {
                throw new DataException("%s: has neither %s of llava eval nor %s of llava train"
                        .formatted(run, RunResults.FILE, MetricsFile.NAME));
            }
            if (evaluated && results.put(name(run), RunResults.read(run)) != null) {
                throw new ParameterException(spec.commandLine(), "--runs names %s twice".formatted(run));
            }
            if (trained) {
                curves.add(MetricsFile.curve(name(run), run.resolve(MetricsFile.NAME)));
                TrainingCurve heldOut = MetricsFile.heldOut(name(run) + " held out", run.resolve(MetricsFile.NAME));
                if (heldOut.steps().length > 0) {
                    curves.add(heldOut);
                }
                curves.addAll(MetricsFile.bySource(name(run), run.resolve(MetricsFile.NAME)));
            }
        }
        PrintWriter stdout = spec.commandLine().getOut();
        for (TrainingCurve curve : curves) {
            String file = curve.name().replaceAll("[^A-Za-z0-9._-]+", "-") + "-loss.png";
            AtomicFiles.write(out.resolve(file), Charts.loss(curve, false));
            stdout.println(out.resolve(file));
        }
        if (!results.isEmpty()) {
            EvaluationReport report = new EvaluationReport(
                    new RunComparison(results, published ? EvaluationReport.PAPER : List.of()), Map.of(), curves);
            report.write(out);
            stdout.print(report.text());
            stdout.println(out.resolve("report.html"));
        }
        stdout.flush();
        return CommandLine.ExitCode.OK;
    }

    /** The folder's name, or where several are called the same, its path as it was typed. */
    private String name(Path run) {
        Path last = run.toAbsolutePath().normalize().getFileName();
        boolean unique = last != null
                && runs.stream()
                                .map(other -> other.toAbsolutePath().normalize().getFileName())
                                .filter(last::equals)
                                .count()
                        == 1;
        return unique ? last.toString() : run.normalize().toString();
    }
}
