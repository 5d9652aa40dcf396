package io.llava4j.eval.ocr;

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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** OCRBench as lmms-eval scores it (docs/reference/evaluation.md#ocrbench): a right answer must occur in the model's. */
public final class OcrBench {
    /** The table, which holds the images or their paths. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "test-00000-of-*.parquet",
                            "data/test-00000-of-*.parquet",
                            "{ocrbench,OCRBench}*.parquet",
                            "{OCRBench,ocrbench}.json",
                            "{OCRBench,ocrbench}*.tsv",
                            "ocrbench*.jsonl"),
                    FileRole.IMAGES,
                    List.of("OCRBench_Images", "images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("OCRBench"));

    /** The questions of the table. */
    public static final TableQuestions QUESTIONS = new TableQuestions(row -> new TableQuestions.Asked(
            row.id("index", "id"),
            PythonText.strip(row.text("question")),
            List.of(row.has("image_path") && !row.node().has("image") ? "image_path" : "image"),
            "default"));

    private static final String FORMULAS = "Handwritten Mathematical Expression Recognition";
    private static final String FORMULA_DATA = "HME100k";

    /** The kinds whose sum is "Text Recognition". */
    private static final List<String> RECOGNITION = List.of(
            "Regular Text Recognition",
            "Irregular Text Recognition",
            "Artistic Text Recognition",
            "Handwriting Recognition",
            "Digit String Recognition",
            "Non-Semantic Text Recognition");

    private static final List<String> OTHERS =
            List.of("Scene Text-centric VQA", "Doc-oriented VQA", "Key Information Extraction", FORMULAS);

    /** What the official code divides by, whatever was asked. */
    private static final int QUESTIONS_OF_THE_BENCHMARK = 1000;

    /** How a model's answer and a right one are made comparable. */
    private enum Rule {
        NOW,
        BEFORE_2026_04
    }

    private record Truth(List<String> answers, String kind, boolean formula) {
        static Truth of(TableRow row) {
            String kind = row.text("question_type", "type", "category");
            if (!RECOGNITION.contains(kind) && !OTHERS.contains(kind)) {
                throw new DataException("%s: '%s' is no kind of question of OCRBench; those are %s and %s"
                        .formatted(row.where(), kind, RECOGNITION, OTHERS));
            }
            return new Truth(
                    row.texts(row.node().has("answers") ? "answers" : "answer"),
                    kind,
                    row.has("dataset") || row.has("dataset_name")
                            ? row.text("dataset", "dataset_name").equals(FORMULA_DATA)
                            : kind.equals(FORMULAS));
        }
    }

    private OcrBench() {}

    /** The number of right answers divided by 1000, and the numbers by kind as counts. */
    public static Score score(ScoreInput input) {
        AnsweredTable<Truth> table = AnsweredTable.of(QUESTIONS, input, Truth::of);
        Map<String, Integer> counts = new LinkedHashMap<>();
        Map<String, Double> shares = new LinkedHashMap<>();
        int before = 0;
        for (AnsweredRow<Truth> row : table.rows()) {
            int right = right(row, Rule.NOW);
            shares.put(row.id().value(), (double) right);
            counts.merge(row.truth().kind(), right, Integer::sum);
            before += right(row, Rule.BEFORE_2026_04);
        }
        int recognition = RECOGNITION.stream()
                .mapToInt(kind -> counts.getOrDefault(kind, 0))
                .sum();
        int all = recognition
                + OTHERS.stream().mapToInt(kind -> counts.getOrDefault(kind, 0)).sum();
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("ocrbench_accuracy", (double) all / QUESTIONS_OF_THE_BENCHMARK);
        numbers.put("Final Score", (double) all);
        numbers.put("Text Recognition", (double) recognition);
        RECOGNITION.forEach(kind -> numbers.put(kind, (double) counts.getOrDefault(kind, 0)));
        OTHERS.forEach(kind -> numbers.put(kind, (double) counts.getOrDefault(kind, 0)));
        numbers.put("Final Score before_2026_04", (double) before);
        List<String> warnings = new ArrayList<>(table.warnings());
        if (table.rows().size() != QUESTIONS_OF_THE_BENCHMARK) {
            warnings.add(
                    "the table has %d questions, but ocrbench_accuracy is the right ones divided by %d, as in the official code"
                            .formatted(table.rows().size(), QUESTIONS_OF_THE_BENCHMARK));
        }
        return new Score("ocrbench_accuracy", numbers, shares, table.rows().size(), warnings, null);
    }

    private static int right(AnsweredRow<Truth> row, Rule rule) {
        String given = row.answer();
        if (given == null) {
            return 0;
        }
        Truth truth = row.truth();
        String answer = comparable(
                rule == Rule.BEFORE_2026_04 ? PythonText.lower(PythonText.strip(given)) : PythonText.strip(given),
                truth.formula(),
                rule);
        return truth.answers().stream().anyMatch(right -> answer.contains(comparable(right, truth.formula(), rule)))
                ? 1
                : 0;
    }

    /** Formulas keep their case and lose their spaces. */
    private static String comparable(String text, boolean formula, Rule rule) {
        if (formula) {
            return PythonText.strip(text).replace("\n", " ").replace(" ", "");
        }
        String folded = rule == Rule.NOW ? halfWidth(text) : text;
        return PythonText.strip(PythonText.lower(folded)).replace("\n", " ");
    }

    /** Full-width ASCII and the ideographic space become plain. */
    private static String halfWidth(String text) {
        StringBuilder plain = new StringBuilder(text);
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            if (c >= '\uFF01' && c <= '\uFF5E') {
                plain.setCharAt(i, (char) (c - 0xFEE0));
            } else if (c == '\u3000') {
                plain.setCharAt(i, ' ');
            }
        }
        return plain.toString();
    }

    /** The right answers by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(
                files, row -> String.join(" or ", Truth.of(row).answers()));
    }
}
