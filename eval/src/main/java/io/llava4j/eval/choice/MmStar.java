package io.llava4j.eval.choice;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.UnknownLabels;
import io.llava4j.eval.table.AnsweredRow;
import io.llava4j.eval.table.AnsweredTable;
import io.llava4j.eval.table.TableQuestions;
import io.llava4j.eval.table.TableRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;

/** MMStar as lmms-eval scores it (docs/reference/evaluation.md#mmstar): the mean of the accuracies of its eighteen axes. */
public final class MmStar {
    /** The table, which holds the images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "{mmstar,MMStar}.parquet",
                            "{val,test}-00000-of-*.parquet",
                            "{MMStar,mmstar}*.tsv",
                            "mmstar*.jsonl"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("MMStar"));

    /** The questions of the table; their text has the options. */
    public static final TableQuestions QUESTIONS =
            new TableQuestions(row -> new TableQuestions.Asked(row.id("index"), text(row)));

    private static final List<String> CATEGORIES = List.of(
            "coarse perception",
            "fine-grained perception",
            "instance reasoning",
            "logical reasoning",
            "science & technology",
            "math");
    private static final Set<String> LETTERS = Set.of("A", "B", "C", "D");

    private record Truth(String answer, String category, String axis) {}

    private MmStar() {}

    /** VLMEvalKit's table has the options in columns; the original says them in the question, in this form. */
    private static String text(TableRow row) {
        Map<String, String> options = row.lettered();
        StringBuilder text = new StringBuilder(PythonText.strip(row.text("question")));
        String separator = "\nOptions: ";
        for (Map.Entry<String, String> option : options.entrySet()) {
            text.append(separator).append(option.getKey()).append(": ").append(option.getValue());
            separator = ", ";
        }
        return text.toString().replace(" Please answer yes or no.", "");
    }

    /** Shares 0..1. */
    public static Score score(ScoreInput input) {
        AnsweredTable<Truth> table = AnsweredTable.of(
                QUESTIONS,
                input,
                row -> new Truth(row.text("answer"), row.text("category"), row.text("l2_category", "l2-category")));
        List<String> warnings = new ArrayList<>(table.warnings());
        UnknownLabels unknown = new UnknownLabels();
        Map<String, Double> shares = new LinkedHashMap<>();
        for (AnsweredRow<Truth> row : table.rows()) {
            String label = PythonText.strip(row.truth().answer()).toUpperCase(Locale.ROOT);
            unknown.check(LETTERS, label, "question " + row.id());
            shares.put(row.id().value(), right(row, MmStar::extracted));
        }
        warnings.addAll(unknown.warnings("A, B, C or D", "no prediction can be right there"));
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("average", average(table.rows(), MmStar::extracted));
        for (String category : CATEGORIES) {
            List<AnsweredRow<Truth>> rows = table.rows().stream()
                    .filter(row -> row.truth().category().equals(category))
                    .toList();
            if (!rows.isEmpty()) {
                numbers.put(category, average(rows, MmStar::extracted));
            }
        }
        numbers.put("average_before_2026_04", average(table.rows(), MmStar::atTheStart));
        return new Score("average", numbers, shares, table.rows().size(), warnings, null);
    }

    private static double average(List<AnsweredRow<Truth>> rows, BiPredicate<String, String> rule) {
        Means axes = new Means();
        rows.forEach(row -> axes.add(row.truth().axis(), right(row, rule)));
        double sum = 0;
        for (double mean : axes.means().values()) {
            sum += mean;
        }
        return sum / axes.means().size();
    }

    private static double right(AnsweredRow<Truth> row, BiPredicate<String, String> rule) {
        String answer = row.answer();
        return answer != null && rule.test(PythonText.strip(answer), row.truth().answer()) ? 1 : 0;
    }

    private static boolean extracted(String answer, String truth) {
        return LetterExtraction.extract(answer).equals(PythonText.strip(truth).toUpperCase(Locale.ROOT));
    }

    /** The rule of MMStar's own code, which lmms-eval had before. */
    private static boolean atTheStart(String answer, String truth) {
        String said = PythonText.strip(PythonText.lower(answer).replace("\n", " "));
        String letter = PythonText.strip(PythonText.lower(truth).replace("\n", " "));
        if (said.isEmpty()) {
            return false;
        }
        if (letter.equals(said.substring(0, said.offsetByCodePoints(0, 1)))) {
            return true;
        }
        for (String start : List.of("(", "option ", "the answer is ")) {
            if (said.startsWith(start)) {
                // The code stops looking where nothing follows.
                return said.length() > start.length()
                        && letter.equals(said.substring(start.length(), said.offsetByCodePoints(start.length(), 1)));
            }
        }
        return false;
    }

    /** The letters by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(files, row -> row.text("answer"));
    }
}
