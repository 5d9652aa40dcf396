package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.table.AnsweredRow;
import io.llava4j.eval.table.AnsweredTable;
import io.llava4j.eval.table.TableQuestions;
import io.llava4j.eval.table.TableRow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** AI2D as lmms-eval scores it (docs/reference/evaluation.md#ai2d): a letter, without regard to case and ASCII punctuation. */
public final class Ai2d {
    /** The table, which holds the images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "test-00000-of-*.parquet",
                            "data/test-00000-of-*.parquet",
                            "{ai2d,AI2D}*.parquet",
                            "{AI2D,ai2d}*.tsv",
                            "ai2d*.jsonl"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("AI2D"));

    /** The questions of the table with lettered options. */
    public static final TableQuestions QUESTIONS = new TableQuestions(
            row -> new TableQuestions.Asked(row.id("index"), Options.lettered(row.text("question"), options(row))));

    private static final Pattern LETTER_AND_PERIOD =
            Pattern.compile("^\\s*([A-Z])\\.", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");

    private Ai2d() {}

    private static List<String> options(TableRow row) {
        List<String> options = row.has("A") ? List.copyOf(row.lettered().values()) : row.texts("options");
        if (options.size() < 2) {
            throw new DataException(
                    row.where() + ": has fewer than two options; they stand in 'options', or in 'A', 'B', …");
        }
        return options;
    }

    /** The letter; the original has the place of the right option, from 0. */
    private static String letter(TableRow row) {
        String answer = PythonText.strip(row.text("answer"));
        int count = options(row).size();
        int place = answer.matches("[0-9]{1,2}")
                ? Integer.parseInt(answer)
                : answer.length() == 1 ? answer.charAt(0) - 'A' : -1;
        if (place < 0 || place >= count) {
            throw new DataException("%s: the answer '%s' is neither the place nor the letter of one of the %d options"
                    .formatted(row.where(), answer, count));
        }
        return String.valueOf((char) ('A' + place));
    }

    /** Share 0..1 of right answers. */
    public static Score score(ScoreInput input) {
        AnsweredTable<String> table = AnsweredTable.of(QUESTIONS, input, Ai2d::letter);
        Map<String, Double> shares = new LinkedHashMap<>();
        double sum = 0;
        for (AnsweredRow<String> row : table.rows()) {
            String answer = row.answer();
            double right = answer != null && plain(said(answer)).equals(plain(row.truth())) ? 1 : 0;
            shares.put(row.id().value(), right);
            sum += right;
        }
        int count = table.rows().size();
        return new Score("exact_match", Map.of("exact_match", sum / count), shares, count, table.warnings(), null);
    }

    /** The letter where the answer starts with one and a period, else the whole answer. */
    private static String said(String answer) {
        Matcher start = LETTER_AND_PERIOD.matcher(answer);
        return start.find() ? start.group(1) : PythonText.strip(answer);
    }

    private static String plain(String text) {
        return PUNCTUATION.matcher(PythonText.lower(text)).replaceAll("");
    }

    /** The letters by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(files, Ai2d::letter);
    }
}
