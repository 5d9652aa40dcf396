package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.checkpoint.AtomicFiles;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Layout;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** MMBench and MMBench-CN, dev (benchmark notes 8): rotations of a question are rows, and all must be right. */
public final class MmBench {
    /** The English table. */
    public static final Layout LAYOUT =
            layout("mmbench_{dev,test}_{en_,}[0-9]*.tsv", "{MMBench,mmbench}_{DEV,TEST,dev,test}_{EN,en}*.tsv");

    /** The Chinese table. */
    public static final Layout LAYOUT_CN =
            layout("mmbench_{dev,test}_cn*.tsv", "{MMBench,mmbench}_{DEV,TEST,dev,test}_{CN,cn}*.tsv");

    private static final long ROTATION = 1_000_000;
    private static final int PREDICTION_COLUMN = 6;
    private static final int TRIES = 3;
    /** Digits of a row's number; a picture in base64 is longer. */
    private static final int LONGEST_NUMBER = 18;

    private static final List<String> LETTERS = List.of("A", "B", "C", "D", "E", "F", "G", "H");
    private static final Set<String> NOT_UPLOADED =
            Set.of("hint", "category", "source", "image", "comment", "l2-category");

    private static final Map<String, String> SHORT = Map.of(
            "coarse_perception", "CP",
            "finegrained_perception (instance-level)", "FP-S",
            "finegrained_perception (cross-instance)", "FP-C",
            "logic_reasoning", "LR",
            "relation_reasoning", "RR",
            "attribute_reasoning", "AR");

    private MmBench() {}

    private static Layout layout(String... tables) {
        return new Layout(Map.of(FileRole.ANNOTATIONS, List.of(tables)), List.of(FileRole.ANNOTATIONS));
    }

    /**
     * A row with its prediction.
     *
     * @param index of the row; rotations of a question differ by millions
     * @param options by letter; missing ones left out
     * @param truth letter of the right option
     * @param prediction what the model said; {@code nan} where it said nothing, as pandas makes of it
     */
    record Row(
            long index,
            Map<String, String> options,
            String truth,
            String prediction,
            @Nullable String category,
            @Nullable String l2Category,
            String split) {
        long group() {
            return index % ROTATION;
        }
    }

    /** A question and its rotations: whether all are right, and how VLMEvalKit's log on it begins. */
    record Hit(Row main, int hit, String log) {}

    /** What the rows gave. */
    record Outcome(List<Hit> hits, int judgeCalls, List<Long> unresolved) {
        double overall() {
            Means mean = new Means();
            hits.forEach(h -> mean.add("", h.hit()));
            return mean.mean("");
        }
    }

    /** The table's questions as LLaVA asks them; the picture of a row is named by {@link #pictures}. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        MmBenchTable table = MmBenchTable.read(file);
        Map<Long, Long> pictures = pictureRows(table, file);
        List<Question> questions = new ArrayList<>();
        for (List<@Nullable String> row : table.rows()) {
            long index = MmBenchTable.number(cell(table, row, "index"), file);
            String hint = cell(table, row, "hint");
            String question = orEmpty(cell(table, row, "question"));
            questions.add(new Question(
                    QuestionId.of(index),
                    pictures.getOrDefault(index, index) + ".jpg",
                    render.apply(Options.lettered(
                            isNone(hint) ? question : hint + "\n" + question, promptOptions(table, row))),
                    "default"));
        }
        return questions;
    }

    /**
     * Writes the pictures that the table holds in base64, where they are not there yet; one that several rows have, as a
     * question's rotations do, is written once.
     *
     * @param folder receives {@code <index>.jpg}, whatever the picture's format
     * @return the folder
     */
    public static Path pictures(Path file, Path folder) {
        MmBenchTable table = MmBenchTable.read(file);
        Map<Long, List<@Nullable String>> byIndex = table.by("index", file);
        for (long index : new LinkedHashSet<>(pictureRows(table, file).values())) {
            Path target = folder.resolve(index + ".jpg");
            String image = orEmpty(cell(table, byIndex.getOrDefault(index, List.of()), "image"));
            if (!Files.exists(target)) {
                try {
                    AtomicFiles.write(target, Base64.getMimeDecoder().decode(image));
                } catch (IllegalArgumentException e) {
                    throw new DataException("%s: the picture of row %d is not base64".formatted(file, index), e);
                }
            }
        }
        return folder;
    }

    /**
     * For each row the row that holds its picture: the first with the same one, so that questions about it share a
     * prefill. Newer tables name that row instead of repeating the picture.
     */
    private static Map<Long, Long> pictureRows(MmBenchTable table, Path file) {
        Map<String, Long> first = new HashMap<>();
        Map<Long, Long> rows = new LinkedHashMap<>();
        for (List<@Nullable String> row : table.rows()) {
            long index = MmBenchTable.number(cell(table, row, "index"), file);
            String image = orEmpty(cell(table, row, "image"));
            boolean names = image.length() <= LONGEST_NUMBER && image.matches("\\d+");
            rows.put(index, names ? Long.parseLong(image) : first.computeIfAbsent(image, i -> index));
        }
        return rows;
    }

    /** Options in a prompt stop at the first that is missing or reads nan or none. */
    static List<String> promptOptions(MmBenchTable table, List<@Nullable String> row) {
        List<String> options = new ArrayList<>();
        for (String letter : LETTERS.subList(0, 4)) {
            String option = cell(table, row, letter);
            if (option == null || isNone(option)) {
                break;
            }
            options.add(option);
        }
        return options;
    }

    private static boolean isNone(@Nullable String text) {
        if (text == null) {
            return true;
        }
        String lower = PythonText.lower(text);
        return lower.equals("nan") || lower.equals("none");
    }

    /**
     * Shares 0..1 of questions right in all rotations. Without a judge's replies a question with an undecided rotation is
     * wrong ("exact matching").
     */
    public static Score score(ScoreInput input) {
        Predictions predictions = predictions(input.answers());
        List<Row> rows = rows(input.files(), predictions, input.answers());
        Map<Long, String> replies = input.replies() == null ? null : replies(input.replies());
        Outcome outcome = evaluate(rows, OptionMatching.VLMEVALKIT, replies);
        Map<String, Double> shares = new LinkedHashMap<>();
        outcome.hits().forEach(h -> shares.put(String.valueOf(h.main().index()), (double) h.hit()));
        Coverage coverage =
                Coverage.of(rows.stream().map(Row::index).toList(), predictions.indices(), predictions.brokenLines());
        List<String> warnings = new ArrayList<>(coverage.warnings("count as answered with nan"));
        long undecided = rows.stream()
                .filter(row -> OptionMatching.VLMEVALKIT.infer(row.prediction(), row.options()) == null)
                .count();
        if (undecided > 0 && replies == null) {
            warnings.add("%d answers name no option and nobody was asked: their questions count as wrong"
                    .formatted(undecided));
        }
        if (!outcome.unresolved().isEmpty()) {
            warnings.add(
                    "for %d rows (the first is %d) there is no usable reply; the official code draws an option at random, here they count as wrong"
                            .formatted(
                                    outcome.unresolved().size(),
                                    outcome.unresolved().getFirst()));
        }
        return new Score(
                "Overall",
                numbers(outcome),
                shares,
                outcome.hits().size(),
                warnings,
                input.strict()
                        ? new Score.Strict(
                                "full-width letters and punctuation and a left-over </s> are understood",
                                numbers(evaluate(rows, OptionMatching.TOLERANT, replies)))
                        : null);
    }

    /** Overall, per coarse ability (abbreviated) and per ability, sorted by name. */
    static Map<String, Double> numbers(Outcome outcome) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("Overall", outcome.overall());
        Means coarse = new Means();
        Means fine = new Means();
        outcome.hits().forEach(h -> {
            if (h.main().l2Category() != null) {
                coarse.add(h.main().l2Category(), h.hit());
            }
            if (h.main().category() != null) {
                fine.add(h.main().category(), h.hit());
            }
        });
        new TreeMap<>(coarse.means()).forEach((name, mean) -> numbers.put(SHORT.getOrDefault(name, name), mean));
        new TreeMap<>(fine.means()).forEach((name, mean) -> numbers.put(SHORT.getOrDefault(name, name), mean));
        return numbers;
    }

    /**
     * Circular evaluation: a question is right if every rotation is. A decided wrong rotation makes it wrong at once.
     *
     * @param replies a judge's, by row; null for exact matching
     */
    static Outcome evaluate(List<Row> rows, OptionMatching matching, @Nullable Map<Long, String> replies) {
        Map<Long, List<Row>> groups = new TreeMap<>();
        rows.stream()
                .sorted(Comparator.comparingLong(Row::index))
                .forEach(row -> groups.computeIfAbsent(row.group(), g -> new ArrayList<>())
                        .add(row));
        List<Hit> hits = new ArrayList<>();
        List<Long> unresolved = new ArrayList<>();
        int[] calls = {0};
        groups.forEach((index, group) -> {
            Row main = group.getFirst();
            if (main.index() == index) {
                hits.add(hit(main, group, matching, replies, calls, unresolved));
            }
        });
        return new Outcome(hits, calls[0], unresolved);
    }

    private static Hit hit(
            Row main,
            List<Row> group,
            OptionMatching matching,
            @Nullable Map<Long, String> replies,
            int[] calls,
            List<Long> unresolved) {
        List<@Nullable String> decided = new ArrayList<>();
        for (Row row : group) {
            String letter = matching.infer(row.prediction(), row.options());
            if (letter != null && !letter.equals(row.truth())) {
                return new Hit(main, 0, "Failed in Prefetching Rolling " + decided.size());
            }
            decided.add(letter);
        }
        if (!decided.contains(null)) {
            return new Hit(main, 1, "Succeed During Pre-fetching");
        }
        if (replies == null) {
            return new Hit(main, 0, "Failed in Prefetch, no GPT-based answer matching under `exact_matching` policy.");
        }
        StringBuilder log = new StringBuilder();
        for (int i = 0; i < group.size(); i++) {
            if (decided.get(i) != null) {
                log.append("Rolling %d Matched.\n".formatted(i));
                continue;
            }
            Row row = group.get(i);
            String reply = replies.get(row.index());
            String letter = reply == null ? null : matching.infer(reply, row.options());
            calls[0] += letter == null ? TRIES : 1;
            if (letter == null) {
                unresolved.add(row.index());
            }
            if (letter == null || !letter.equals(row.truth())) {
                return new Hit(
                        main,
                        0,
                        log.append("Failed in Rolling %d: ".formatted(i)).toString());
            }
            log.append("Rolling %d: ".formatted(i));
        }
        return new Hit(main, 1, log.toString());
    }

    /** What was predicted: by row, with the table it came in if it was one. */
    record Predictions(
            Map<Long, String> byIndex,
            List<Long> indices,
            int brokenLines,
            @Nullable MmBenchTable table) {
        /** As the scoring code reads it from the uploaded sheet: an empty cell, and what pandas takes for one, is nan. */
        String ofSheet(long index) {
            String prediction = byIndex.get(index);
            return prediction == null || MmBenchTable.isMissing(prediction) ? "nan" : prediction;
        }
    }

    static Predictions predictions(Path answers) {
        Map<Long, String> byIndex = new HashMap<>();
        List<Long> indices = new ArrayList<>();
        if (MmBenchTable.isTable(answers)) {
            MmBenchTable table = MmBenchTable.read(answers);
            for (List<@Nullable String> row : table.rows()) {
                long index = MmBenchTable.number(cell(table, row, "index"), answers);
                String prediction = cell(table, row, "prediction");
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

    /** Rows of the benchmark's table; without one, those of a result table that holds the truth itself. */
    static List<Row> rows(BenchmarkFiles files, Predictions predictions, Path answers) {
        Path file = files.find(FileRole.ANNOTATIONS);
        if (file == null && predictions.table() == null) {
            file = files.require(FileRole.ANNOTATIONS);
        }
        MmBenchTable table = file == null ? predictions.table() : MmBenchTable.read(file);
        Path source = file == null ? answers : file;
        List<Row> rows = new ArrayList<>();
        if (table != null) {
            for (List<@Nullable String> row : table.rows()) {
                long index = MmBenchTable.number(cell(table, row, "index"), source);
                String truth = cell(table, row, "answer");
                if (truth == null) {
                    throw new DataException("%s: row %d has no answer; the test split can be scored by its server only"
                            .formatted(source, index));
                }
                rows.add(new Row(
                        index,
                        options(table, row),
                        truth,
                        predictions.ofSheet(index),
                        cell(table, row, "category"),
                        cell(table, row, "l2-category"),
                        orEmpty(cell(table, row, "split"))));
            }
        }
        return rows;
    }

    private static Map<String, String> options(MmBenchTable table, List<@Nullable String> row) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String letter : LETTERS) {
            String option = cell(table, row, letter);
            if (option != null) {
                options.put(letter, option);
            }
        }
        return options;
    }

    /** A judge's replies: JSON lines of {@code index} and {@code reply}. */
    static Map<Long, String> replies(Path file) {
        Map<Long, String> replies = new HashMap<>();
        JsonFiles.lines(file, BrokenLines.REFUSE, line -> replies.put(line.integer("index"), line.text("reply")));
        return replies;
    }

    /** Writes the Excel sheet that the leaderboard takes. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        MmBenchTable upload =
                upload(MmBenchTable.read(files.require(FileRole.ANNOTATIONS)), predictions(answers), target);
        AtomicFiles.write(target, upload.excel(Set.of("index")));
    }

    /** The table without what the server does not need, with the predictions as seventh column. */
    static MmBenchTable upload(MmBenchTable table, Predictions predictions, Path file) {
        List<String> kept = new ArrayList<>(table.columns());
        kept.removeAll(NOT_UPLOADED);
        List<List<@Nullable String>> rows = new ArrayList<>();
        for (List<@Nullable String> row : table.rows()) {
            List<@Nullable String> values = new ArrayList<>();
            kept.forEach(column -> values.add(cell(table, row, column)));
            values.add(
                    Math.min(PREDICTION_COLUMN, values.size()),
                    predictions.byIndex().get(MmBenchTable.number(cell(table, row, "index"), file)));
            rows.add(Collections.unmodifiableList(values));
        }
        kept.add(Math.min(PREDICTION_COLUMN, kept.size()), "prediction");
        return new MmBenchTable(kept, rows);
    }

    static @Nullable String cell(MmBenchTable table, List<@Nullable String> row, String column) {
        int at = table.column(column);
        return at < 0 || at >= row.size() ? null : row.get(at);
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }
}
