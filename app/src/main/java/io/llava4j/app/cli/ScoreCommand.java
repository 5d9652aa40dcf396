package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.Submission;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava score}: scores existing answers; needs no model. */
@Command(
        name = "score",
        description = "Score existing answers as the official code does.",
        footer = {
            "",
            "Files are found in --folder by their usual names; options for single files take precedence.",
            "docs/evaluation.md lists each benchmark's files and the quirks of its official code."
        })
final class ScoreCommand implements Callable<Integer> {
    /** Names for the help and for completion. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Benchmarks.all().stream().map(Benchmark::name).iterator();
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "BENCHMARK",
            completionCandidates = Names.class,
            description = "One of ${COMPLETION-CANDIDATES}.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String benchmark;

    @Option(
            names = "--answers",
            required = true,
            paramLabel = "PATH",
            description = "LLaVA's answers.jsonl, or what the official code reads: a results file, MMBench's .xlsx, "
                    + "a folder of MME's result files, reviews of LLaVA-Bench, grades of MM-Vet.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path answers;

    @Option(names = "--folder", paramLabel = "DIR", description = "The benchmark's folder.")
    private @Nullable Path folder;

    @Option(names = "--questions", paramLabel = "FILE", description = "Question file, LLaVA's or the official one.")
    private @Nullable Path questions;

    @Option(
            names = "--annotations",
            paramLabel = "PATH",
            description = "The ground truth: the official file or folder.")
    private @Nullable Path annotations;

    @Option(
            names = "--file",
            paramLabel = "ROLE=PATH",
            description = "Another file of the benchmark: splits, choices, context, reference-answers, rules.")
    private Map<String, Path> files = new LinkedHashMap<>();

    @Option(
            names = "--replies",
            paramLabel = "FILE",
            description = "The judge's replies: JSON lines of id (MMBench: index) and reply.")
    private @Nullable Path replies;

    @Option(names = "--strict", description = "Also score by a stricter rule, and warn where it differs.")
    private boolean strict;

    @Option(
            names = "--submission",
            paramLabel = "PATH",
            description = "Also write the file for the benchmark's server or evaluator.")
    private @Nullable Path submission;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    @Option(names = "--per-question", description = "With --json: add every question's contribution.")
    private boolean perQuestion;

    private ScoreCommand() {}

    @Override
    public Integer call() {
        Benchmark scored;
        try {
            scored = Benchmarks.named(benchmark);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        BenchmarkFiles found = new BenchmarkFiles(scored.filePatterns(), folder, named());
        if (submission != null) {
            write(scored, found, submission);
        }
        Score score;
        try {
            score = scored.scorer().score(new ScoreInput(found, answers, replies, strict));
        } catch (GroundTruthMissingException | DataException e) {
            boolean truthIsMissing =
                    e instanceof GroundTruthMissingException || found.find(FileRole.ANNOTATIONS) == null;
            if (submission == null || !truthIsMissing) {
                throw e;
            }
            return submitted(scored, submission, String.valueOf(e.getMessage()));
        }
        if (json) {
            printJson(score);
        } else {
            printTable(scored, score);
        }
        PrintWriter err = spec.commandLine().getErr();
        score.warnings().forEach(warning -> err.println("llava: warning: " + warning));
        warnWhereStrictDiffers(score, err);
        err.flush();
        return CommandLine.ExitCode.OK;
    }

    /** A submission alone is success: where only the server has the answers, there is nothing to score. */
    private int submitted(Benchmark scored, Path file, String reason) {
        PrintWriter err = spec.commandLine().getErr();
        err.printf("llava: %s is not scored: %s; submit %s%n", scored.title(), reason, file);
        err.flush();
        if (json) {
            PrintWriter out = spec.commandLine().getOut();
            out.println(JsonMapper.builder()
                    .build()
                    .writeValueAsString(Map.of("benchmark", scored.name(), "submission", file.toString())));
            out.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private Map<FileRole, Path> named() {
        Map<FileRole, Path> named = new EnumMap<>(FileRole.class);
        files.forEach((label, path) -> named.put(role(label), path));
        if (questions != null) {
            named.put(FileRole.QUESTIONS, questions);
        }
        if (annotations != null) {
            named.put(FileRole.ANNOTATIONS, annotations);
        }
        return named;
    }

    private FileRole role(String label) {
        for (FileRole role : FileRole.values()) {
            if (role.label().equals(label)) {
                return role;
            }
        }
        throw new ParameterException(
                spec.commandLine(),
                "--file: no role is called '%s'; there are %s"
                        .formatted(
                                label,
                                List.of(FileRole.values()).stream()
                                        .map(FileRole::label)
                                        .toList()));
    }

    private void write(Benchmark scored, BenchmarkFiles found, Path target) {
        Submission form = scored.submission();
        if (form == null) {
            throw new ParameterException(
                    spec.commandLine(), "--submission: there is no submission file for " + scored.title());
        }
        form.writer().write(found, answers, target);
    }

    private void printTable(Benchmark scored, Score score) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "%s: %d answers%n", scored.title(), score.samples());
        Score.Strict strictScore = score.strict();
        if (strictScore != null) {
            out.printf(Locale.ROOT, "%10s %10s%n", "official", "strict");
        }
        score.numbers().forEach((name, value) -> {
            if (strictScore == null) {
                out.printf(Locale.ROOT, "%10.4f  %s%n", value, name);
            } else {
                Double other = strictScore.numbers().get(name);
                out.printf(
                        Locale.ROOT,
                        "%10.4f %10s  %s%n",
                        value,
                        other == null ? "-" : String.format(Locale.ROOT, "%.4f", other),
                        name);
            }
        });
        out.flush();
    }

    private void printJson(Score score) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("benchmark", benchmark);
        document.put("samples", score.samples());
        document.put("headline", score.headline());
        document.put("value", score.value());
        document.put("numbers", score.numbers());
        Score.Strict strictScore = score.strict();
        if (strictScore != null) {
            document.put("strict_rule", strictScore.rule());
            document.put("strict_numbers", strictScore.numbers());
        }
        if (perQuestion) {
            document.put("per_question", score.perQuestion());
        }
        document.put("warnings", score.warnings());
        PrintWriter out = spec.commandLine().getOut();
        out.println(JsonMapper.builder().build().writeValueAsString(finite(document)));
        out.flush();
    }

    /** JSON has no NaN and no infinity; null stands for them. */
    private static @Nullable Object finite(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<Object, @Nullable Object> copy = new LinkedHashMap<>();
            map.forEach((key, entry) -> copy.put(key, finite(entry)));
            return copy;
        }
        return value instanceof Double number && !Double.isFinite(number) ? null : value;
    }

    private static void warnWhereStrictDiffers(Score score, PrintWriter err) {
        Score.Strict strictScore = score.strict();
        if (strictScore != null) {
            Double other = strictScore.numbers().get(score.headline());
            if (other != null && Double.compare(other, score.value()) != 0) {
                err.printf(
                        Locale.ROOT,
                        "llava: warning: %s is %.4f by the official rule, %.4f by the strict one: %s%n",
                        score.headline(),
                        score.value(),
                        other,
                        strictScore.rule());
            }
        }
    }
}
