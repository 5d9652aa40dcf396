package io.llava4j.eval.mmmu;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.table.AnsweredTable;
import io.llava4j.eval.table.TableQuestions;
import io.llava4j.eval.table.TableRow;
import io.llava4j.text.ResponseFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** MMMU's validation split (docs/reference/evaluation.md#mmmu), asked and scored as lmms-eval does it. */
public final class Mmmu {
    private static final String FIRST_SUBJECT = "Accounting";

    /** The table, which holds the images; {@code Accounting/…} stands for the folders of all subjects. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "validation-00000-of-*.parquet",
                            "data/validation-00000-of-*.parquet",
                            FIRST_SUBJECT + "/validation-00000-of-*.parquet",
                            "{mmmu,MMMU}*.parquet",
                            "{MMMU,mmmu}*.tsv",
                            "mmmu*.jsonl"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("MMMU"));

    /** The questions of the validation split. */
    public static final TableQuestions QUESTIONS = new TableQuestions(Mmmu::tables, Mmmu::asked);

    private static final String SPLIT = "validation";
    private static final Pattern ID = Pattern.compile("([^_]*)_(.+?)_\\d+");
    private static final Pattern IMAGE = Pattern.compile("<image (\\d+)>");

    private Mmmu() {}

    /** The folders of the subjects in the order of their names, as the data set that lmms-eval reads has them. */
    private static List<Path> tables(BenchmarkFiles files) {
        Path file = files.require(FileRole.ANNOTATIONS);
        Path subject = file.toAbsolutePath().getParent();
        Path all = subject == null || !subject.endsWith(FIRST_SUBJECT) ? null : subject.getParent();
        if (all == null) {
            return List.of(file);
        }
        try (Stream<Path> subjects = Files.list(all)) {
            return subjects.map(folder -> folder.resolve(file.getFileName()))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new DataException("%s: cannot be listed (%s)".formatted(all, e.getMessage()), e);
        }
    }

    /** Questions of other splits, which VLMEvalKit's table has beside this one, are not asked. */
    private static TableQuestions.@Nullable Asked asked(TableRow row) {
        String split = row.optional("split");
        Matcher id = ID.matcher(String.valueOf(row.optional("id")));
        if (!SPLIT.equals(split == null && id.matches() ? id.group(1) : split == null ? SPLIT : split)) {
            return null;
        }
        Map<String, String> options = options(row);
        StringBuilder text = new StringBuilder(row.text("question")).append('\n');
        options.forEach((letter, option) ->
                text.append(letter).append(". ").append(option).append('\n'));
        text.append('\n');
        text.append((isOpen(row) ? ResponseFormat.SHORT : ResponseFormat.LETTER).prompt());
        return new TableQuestions.Asked(row.id("id", "index"), text.toString(), images(row, text), subject(row));
    }

    /** The images that question and options name, sorted by name; each once, however often it is named. */
    private static List<String> images(TableRow row, CharSequence text) {
        TreeSet<String> columns = new TreeSet<>();
        IMAGE.matcher(text).results().forEach(named -> columns.add("image_" + named.group(1)));
        return !columns.isEmpty()
                        && !row.node().has(columns.first())
                        && row.node().has("image")
                ? List.of("image")
                : List.copyOf(columns);
    }

    private static boolean isOpen(TableRow row) {
        String type = row.optional("question_type");
        return type == null ? row.lettered().isEmpty() : !type.equals("multiple-choice");
    }

    private static Map<String, String> options(TableRow row) {
        if (isOpen(row)) {
            return Map.of();
        }
        if (!row.node().has("options")) {
            return row.lettered();
        }
        Map<String, String> options = new LinkedHashMap<>();
        for (String option : row.texts("options")) {
            options.put(String.valueOf((char) ('A' + options.size())), option);
        }
        return options;
    }

    /** The subject, from the id; VLMEvalKit's table may have it in a column of its own. */
    private static String subject(TableRow row) {
        Matcher id = ID.matcher(String.valueOf(row.optional("id")));
        if (id.matches()) {
            return id.group(2);
        }
        if (!row.has("category")) {
            throw new DataException(
                    row.where() + ": needs an id such as validation_Accounting_1, which names the subject");
        }
        return row.text("category").replace(' ', '_');
    }

    /** What is scored of a row. */
    record Truth(String subject, Map<String, String> options, List<String> answers) {
        /** A list in Python's notation is one answer, as for lmms-eval. */
        static Truth of(TableRow row) {
            return new Truth(
                    Mmmu.subject(row),
                    Mmmu.options(row),
                    row.node().path("answer").isArray() ? row.texts("answer") : List.of(row.text("answer")));
        }

        /** The answers of such a list. */
        List<String> listed() {
            return answers.stream()
                    .flatMap(answer -> TableRow.list(answer).stream())
                    .toList();
        }

        boolean open() {
            return options.isEmpty();
        }
    }

    /** Accuracies 0..1 by subject and domain. */
    public static Score score(ScoreInput input) {
        return MmmuScore.of(AnsweredTable.of(QUESTIONS, input, Truth::of), input.strict());
    }

    /** The right letters and answers by question. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        return QUESTIONS.groundTruth(
                files, row -> PythonText.strip(String.join(", ", Truth.of(row).answers())));
    }
}
