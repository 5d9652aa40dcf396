package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.choice.MmBenchScore.Row;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.judge.JudgeReplies;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.OtherEdition;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.UnknownLabels;
import io.llava4j.eval.table.TabbedFile;
import io.llava4j.io.AtomicFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** MMBench and MMBench-CN, dev (docs/reference/evaluation.md#mmbench): rotations of a question are rows, and all must be right. */
public final class MmBench {
    /** The English table. */
    public static final BenchmarkFilePatterns FILES =
            layout("mmbench_{dev,test}_{en_,}[0-9]*.tsv", "{MMBench,mmbench}_{DEV,TEST,dev,test}_{EN,en}*.tsv");

    /** The Chinese table. */
    public static final BenchmarkFilePatterns FILES_CN =
            layout("mmbench_{dev,test}_cn*.tsv", "{MMBench,mmbench}_{DEV,TEST,dev,test}_{CN,cn}*.tsv");

    private static final Pattern EDITION_11 = Pattern.compile("(?i)v1\\.?1");
    private static final int PREDICTION_COLUMN = 6;
    private static final Set<String> NOT_UPLOADED =
            Set.of("hint", "category", "source", "image", "comment", "l2-category");

    private MmBench() {}

    private static BenchmarkFilePatterns layout(String... tables) {
        return new BenchmarkFilePatterns(Map.of(FileRole.ANNOTATIONS, List.of(tables)), List.of(FileRole.ANNOTATIONS));
    }

    /**
     * Shares 0..1 of questions right in all rotations. Without a judge's replies a question with an undecided rotation is
     * wrong ("exact matching").
     */
    public static Score score(ScoreInput input) {
        Predictions predictions = predictions(input.answers());
        List<Row> rows = rows(input.files(), predictions, input.answers());
        Function<Row, @Nullable String> judge = input.replies() == null ? null : replies(input.replies());
        MmBenchScore score = MmBenchScore.of(rows, OptionMatching.VLMEVALKIT, judge);
        Map<String, Double> shares = new LinkedHashMap<>();
        score.hits().forEach(h -> shares.put(String.valueOf(h.main().index()), (double) h.hit()));
        return new Score(
                "Overall",
                score.numbers(),
                shares,
                score.hits().size(),
                Stream.concat(
                                edition(input.files()).stream(),
                                warnings(rows, predictions, score, judge == null).stream())
                        .toList(),
                input.strict()
                        ? new Score.Strict(
                                "full-width letters and punctuation and a left-over </s> are understood",
                                MmBenchScore.of(rows, OptionMatching.TOLERANT, judge)
                                        .numbers())
                        : null);
    }

    /** Later editions, which their names show, have the same form and rule, but other questions. */
    private static List<String> edition(BenchmarkFiles files) {
        Path file = files.find(FileRole.ANNOTATIONS);
        String name = file == null ? "" : file.getFileName().toString();
        return EDITION_11.matcher(name).find()
                ? List.of(OtherEdition.warning(name, "MMBench v1.1", "the first edition"))
                : List.of();
    }

    private static List<String> warnings(
            List<Row> rows, Predictions predictions, MmBenchScore score, boolean nobodyAsked) {
        List<String> warnings = new ArrayList<>(
                Coverage.of(rows.stream().map(Row::index).toList(), predictions.indices(), predictions.brokenLines())
                        .warnings("count as answered with nan"));
        long undecided = rows.stream()
                .filter(row -> OptionMatching.VLMEVALKIT.infer(row.prediction(), row.options()) == null)
                .count();
        if (undecided > 0 && nobodyAsked) {
            warnings.add("%d answers name no option and nobody was asked: their questions count as wrong"
                    .formatted(undecided));
        }
        UnknownLabels unknown = new UnknownLabels();
        rows.forEach(row -> unknown.check(row.options().keySet(), row.truth(), "row " + row.index()));
        warnings.addAll(unknown.warnings("a letter of an option", "no prediction can be right there"));
        if (!score.unresolved().isEmpty()) {
            warnings.add(
                    "for %d rows (the first is %d) there is no usable reply; the official code draws an option at random, this one counts them as wrong"
                            .formatted(
                                    score.unresolved().size(),
                                    score.unresolved().getFirst()));
        }
        return warnings;
    }

    /**
     * Asks a judge about answers that name no option, question by question until a rotation is wrong. Nobody is asked about
     * a row without an answer, and nobody twice: the official code repeats an unusable reply's request at temperature 0.
     */
    public static void ask(BenchmarkFiles files, Path answers, Function<JudgeRequest, String> judge) {
        MmBenchScore.of(
                rows(files, predictions(answers), answers),
                OptionMatching.VLMEVALKIT,
                row -> row.prediction().equals(Row.NOTHING) ? null : judge.apply(MmBenchJudge.request(row)));
    }

    /** A judge's replies by row; the first where there are several. */
    public static Function<Row, @Nullable String> replies(Path file) {
        Map<String, String> replies = new HashMap<>();
        JudgeReplies.lines(file, (id, texts) -> replies.putIfAbsent(id, texts.getFirst()));
        return row -> replies.get(String.valueOf(row.index()));
    }

    /** What was predicted: by row, with the table it came in if it was one. */
    public record Predictions(
            Map<Long, String> byIndex,
            List<Long> indices,
            int brokenLines,
            @Nullable MmBenchTable table) {
        /** As the scoring code reads it from the uploaded sheet: an empty cell, and what pandas takes for one, is nan. */
        String ofSheet(long index) {
            String prediction = byIndex.get(index);
            return prediction == null || TabbedFile.isMissing(prediction) ? Row.NOTHING : prediction;
        }
    }

    public static Predictions predictions(Path answers) {
        Map<Long, String> byIndex = new HashMap<>();
        List<Long> indices = new ArrayList<>();
        if (MmBenchTable.isTable(answers)) {
            MmBenchTable table = MmBenchTable.read(answers);
            table.require(answers, "index", "prediction");
            for (List<@Nullable String> row : table.rows()) {
                long index = MmBenchTable.number(table.cell(row, "index"), answers);
                String prediction = table.cell(row, "prediction");
                indices.add(index);
                if (prediction != null) {
                    byIndex.put(index, prediction);
                }
            }
            return new Predictions(byIndex, indices, 0, table);
        }
        ResultFile file = ResultFile.read(answers, "index", "prediction", BrokenLines.REFUSE);
        for (Answer answer : file.answers()) {
            long index = MmBenchTable.number(answer.id().value(), answers);
            byIndex.put(index, answer.text());
            indices.add(index);
        }
        return new Predictions(byIndex, indices, file.brokenLines(), null);
    }

    /**
     * The benchmark's table.
     *
     * @throws DataException if a column that every edition has is missing
     */
    static MmBenchTable questions(Path file) {
        MmBenchTable table = MmBenchTable.read(file);
        table.require(file, "index", "question", "A", "B");
        return table;
    }

    /**
     * Rows of the benchmark's table, of which a result sheet chooses those it has; without a table those of a result
     * sheet that holds the truth itself.
     *
     * @throws GroundTruthMissingException for the test split
     */
    public static List<Row> rows(BenchmarkFiles files, Predictions predictions, Path answers) {
        Path file = files.find(FileRole.ANNOTATIONS);
        MmBenchTable table = file == null ? predictions.table() : questions(file);
        if (table == null) {
            throw new IllegalStateException(files.require(FileRole.ANNOTATIONS).toString());
        }
        Path source = file == null ? answers : file;
        Set<Long> predicted = Set.copyOf(predictions.indices());
        List<Row> rows = new ArrayList<>();
        for (List<@Nullable String> row : table.rows()) {
            long index = MmBenchTable.number(table.cell(row, "index"), source);
            if (predictions.table() != null && !predicted.contains(index)) {
                continue; // VLMEvalKit iterates over the rows of the sheet
            }
            String truth = table.cell(row, "answer");
            if (truth == null) {
                throw new GroundTruthMissingException(
                        "%s: row %d has no answer; the test split can be scored by its server only"
                                .formatted(source, index));
            }
            rows.add(new Row(
                    index,
                    table.text(row, "question"),
                    options(table, row),
                    truth,
                    predictions.ofSheet(index),
                    table.cell(row, "category"),
                    table.cell(row, "l2-category"),
                    table.column("split") < 0 ? "none" : table.text(row, "split")));
        }
        return rows;
    }

    private static Map<String, String> options(MmBenchTable table, List<@Nullable String> row) {
        Map<String, String> options = new LinkedHashMap<>();
        for (char letter = 'A'; letter <= 'Z'; letter++) {
            String option = table.cell(row, String.valueOf(letter));
            if (option != null) {
                options.put(String.valueOf(letter), option);
            }
        }
        return options;
    }

    /** The letter and text of the right option by row index; empty for a folder without the table. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        Path file = files.find(FileRole.ANNOTATIONS);
        if (file == null) {
            return GroundTruth.of(Map.of());
        }
        MmBenchTable table = questions(file);
        Map<String, String> truths = new HashMap<>();
        for (List<@Nullable String> row : table.rows()) {
            String letter = table.text(row, "answer");
            truths.put(
                    String.valueOf(MmBenchTable.number(table.cell(row, "index"), file)),
                    letter + ". " + table.text(row, letter));
        }
        return GroundTruth.of(truths);
    }

    /** Writes the Excel sheet that the leaderboard takes. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        MmBenchTable upload = upload(questions(files.require(FileRole.ANNOTATIONS)), predictions(answers), target);
        AtomicFiles.write(target, upload.excel(Set.of("index")));
    }

    /** The table without what the server does not need, with the predictions as seventh column. */
    public static MmBenchTable upload(MmBenchTable table, Predictions predictions, Path file) {
        List<String> kept = new ArrayList<>(table.columns());
        kept.removeAll(NOT_UPLOADED);
        List<List<@Nullable String>> rows = new ArrayList<>();
        for (List<@Nullable String> row : table.rows()) {
            List<@Nullable String> values = new ArrayList<>();
            kept.forEach(column -> values.add(table.cell(row, column)));
            values.add(
                    Math.min(PREDICTION_COLUMN, values.size()),
                    predictions.byIndex().get(MmBenchTable.number(table.cell(row, "index"), file)));
            rows.add(Collections.unmodifiableList(values));
        }
        kept.add(Math.min(PREDICTION_COLUMN, kept.size()), "prediction");
        return new MmBenchTable(kept, rows);
    }
}
