package io.llava4j.eval.choice;

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
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** RealWorldQA as lmms-eval scores it (docs/reference/evaluation.md#realworldqa): a letter, or a word or number. */
public final class RealWorldQa {
    /** The table, which holds the images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "test-00000-of-*.parquet",
                            "data/test-00000-of-*.parquet",
                            "{realworldqa,RealWorldQA}*.parquet",
                            "{RealWorldQA,realworldqa}*.tsv",
                            "realworldqa*.jsonl"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("RealWorldQA"));

    /** The questions of the table, which say themselves how to answer. */
    public static final TableQuestions QUESTIONS =
            new TableQuestions(row -> new TableQuestions.Asked(row.id("index"), text(row)));

    private static final Set<String> LETTERS = Set.of("A", "B", "C", "D");
    private static final Map<String, String> NUMBERS = Map.ofEntries(
            Map.entry("zero", "0"),
            Map.entry("one", "1"),
            Map.entry("two", "2"),
            Map.entry("three", "3"),
            Map.entry("four", "4"),
            Map.entry("five", "5"),
            Map.entry("six", "6"),
            Map.entry("seven", "7"),
            Map.entry("eight", "8"),
            Map.entry("nine", "9"),
            Map.entry("ten", "10"));
    private static final Pattern OPTION =
            Pattern.compile("\\b([A-Z])\\.\\s+([^\\n]*)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern MARKS = Pattern.compile("[^\\w\\s]", Pattern.UNICODE_CHARACTER_CLASS);

    private record Truth(String answer, String question) {}

    private RealWorldQa() {}

    /** VLMEvalKit's table has the options in columns; the original says them in the question, in this form. */
    private static String text(TableRow row) {
        String question = PythonText.strip(row.text("question"));
        List<String> options = List.copyOf(row.lettered().values());
        return options.isEmpty()
                ? question
                : Options.lettered(question, options)
                        + "\nPlease answer directly with only the letter of the correct option and nothing else.";
    }

    /** Share 0..1 of right answers. */
    public static Score score(ScoreInput input) {
        AnsweredTable<Truth> table =
                AnsweredTable.of(QUESTIONS, input, row -> new Truth(row.text("answer"), text(row)));
        Map<String, Double> shares = new LinkedHashMap<>();
        double sum = 0;
        double before = 0;
        for (AnsweredRow<Truth> row : table.rows()) {
            String answer = row.answer();
            double right = answer != null && right(PythonText.strip(answer), row.truth()) ? 1 : 0;
            shares.put(row.id().value(), right);
            sum += right;
            before += answer != null && rightBefore(answer, row.truth()) ? 1 : 0;
        }
        int count = table.rows().size();
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("exact_match", sum / count);
        numbers.put("exact_match_before_2026_04", before / count);
        return new Score("exact_match", numbers, shares, count, table.warnings(), null);
    }

    private static boolean right(String answer, Truth truth) {
        String label = PythonText.strip(truth.answer());
        String letter = label.toUpperCase(Locale.ROOT);
        return LETTERS.contains(letter)
                ? LetterExtraction.extract(answer).equals(letter)
                : PythonText.stripTrailing(PythonText.strip(PythonText.lower(answer)), '.')
                        .equals(PythonText.lower(label));
    }

    /** lmms-eval's rule until then: number words are digits, and the text of an option stands for its letter. */
    private static boolean rightBefore(String answer, Truth truth) {
        String digits = NUMBERS.getOrDefault(PythonText.lower(answer), answer);
        String plain = PythonText.strip(MARKS.matcher(digits).replaceAll(""));
        String said = byOption(plain, truth.question());
        return PythonText.stripTrailing(PythonText.strip(PythonText.lower(PythonText.strip(said))), '.')
                .equals(PythonText.strip(PythonText.lower(truth.answer())));
    }

    /** The letter of the option that stands first in the answer; of options at one place the first listed. */
    private static String byOption(String answer, String question) {
        Map<String, String> letters = new LinkedHashMap<>();
        StringBuilder alternatives = new StringBuilder();
        Matcher option = OPTION.matcher(question);
        char letter = 'A';
        while (option.find()) {
            String text = PythonText.strip(option.group(2));
            letters.put(text, String.valueOf(letter++));
            alternatives.append(alternatives.isEmpty() ? "" : "|").append(Pattern.quote(text));
        }
        Matcher found = Pattern.compile(alternatives.toString()).matcher(answer);
        return found.find() ? letters.getOrDefault(found.group(), answer) : answer;
    }

    /** The answers by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(files, row -> row.text("answer"));
    }
}
