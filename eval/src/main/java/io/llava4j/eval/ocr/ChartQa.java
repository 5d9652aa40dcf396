package io.llava4j.eval.ocr;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.table.AnsweredRow;
import io.llava4j.eval.table.AnsweredTable;
import io.llava4j.eval.table.TableQuestions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** ChartQA as lmms-eval scores it (docs/reference/evaluation.md#chartqa): numbers may be off by five percent. */
public final class ChartQa {
    /** The table, which holds the images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "test-00000-of-*.parquet",
                            "data/test-00000-of-*.parquet",
                            "{chartqa,ChartQA}*.parquet",
                            "{ChartQA,chartqa}*.tsv",
                            "chartqa*.jsonl"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("ChartQA"));

    /** The questions of the table. */
    public static final TableQuestions QUESTIONS =
            new TableQuestions(row -> new TableQuestions.Asked(row.id("index"), row.text("question")));

    private static final String OVERALL = "relaxed_overall";
    private static final String HUMAN = "relaxed_human_split";
    private static final String AUGMENTED = "relaxed_augmented_split";
    private static final double TOLERANCE = 0.05;

    private record Truth(String answer, boolean human) {}

    private ChartQa() {}

    /** Shares 0..1 of right answers. */
    public static Score score(ScoreInput input) {
        AnsweredTable<Truth> table = AnsweredTable.of(
                QUESTIONS,
                input,
                row -> new Truth(row.text("answer"), row.text("type", "split").contains("human")));
        Map<String, Double> shares = new LinkedHashMap<>();
        Means means = new Means();
        for (AnsweredRow<Truth> row : table.rows()) {
            String answer = row.answer();
            double right = answer != null
                            && relaxed(PythonText.strip(answer), row.truth().answer())
                    ? 1
                    : 0;
            shares.put(row.id().value(), right);
            means.add(OVERALL, right);
            means.add(row.truth().human() ? HUMAN : AUGMENTED, right);
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (String name : List.of(OVERALL, HUMAN, AUGMENTED)) {
            if (means.count(name) > 0) {
                numbers.put(name, means.mean(name));
            }
        }
        return new Score(OVERALL, numbers, shares, table.rows().size(), table.warnings(), null);
    }

    /**
     * Whether an answer is right. A right answer of zero is compared as text, since nothing is within five percent of it.
     */
    static boolean relaxed(String answer, String truth) {
        OptionalDouble said = number(answer);
        OptionalDouble right = number(truth);
        if (said.isPresent() && right.isPresent() && right.getAsDouble() != 0) {
            return Math.abs(said.getAsDouble() - right.getAsDouble()) / Math.abs(right.getAsDouble()) <= TOLERANCE;
        }
        return PythonText.lower(answer).equals(PythonText.lower(truth));
    }

    /** A number, or a percentage as a share: {@code 5} and {@code 5%} are far apart. */
    private static OptionalDouble number(String text) {
        if (!text.endsWith("%")) {
            return PythonText.parseFloat(text);
        }
        OptionalDouble percent = PythonText.parseFloat(PythonText.stripTrailing(text, '%'));
        return percent.isPresent() ? OptionalDouble.of(percent.getAsDouble() / 100) : percent;
    }

    /** The answers by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(files, row -> row.text("answer"));
    }
}
