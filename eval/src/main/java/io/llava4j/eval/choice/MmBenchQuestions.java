package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** MMBench's table as questions; its images are inside, in base64. */
public final class MmBenchQuestions implements QuestionSource {
    /** Digits of a row's number; an image in base64 is longer. */
    private static final int LONGEST_NUMBER = 18;

    /** A spreadsheet writes 7 as 7.0. */
    private static final Pattern INDEX = Pattern.compile("\\d+(\\.0+)?");

    private static final Pattern DATA_URL = Pattern.compile("^data:[^,]*;base64,");
    private static final Pattern SPACE = Pattern.compile("\\s");

    @Override
    public List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render) {
        Path file = files.require(FileRole.ANNOTATIONS);
        MmBenchTable table = MmBench.questions(file);
        Map<Long, Long> images = imageRows(table, file);
        List<Question> questions = new ArrayList<>();
        for (List<@Nullable String> row : table.rows()) {
            long index = MmBenchTable.number(table.cell(row, "index"), file);
            String hint = table.cell(row, "hint");
            String question = table.text(row, "question");
            List<String> options = promptOptions(table, row);
            questions.add(new Question(
                    QuestionId.of(index),
                    images.getOrDefault(index, index) + ".jpg",
                    render.apply(Options.lettered(isNone(hint) ? question : hint + "\n" + question, options)),
                    "default",
                    options));
        }
        return questions;
    }

    /**
     * Writes the images that the table holds as {@code <index>.jpg}, whatever their format; one that several rows have, as a
     * question's rotations do, is written once. A file of an earlier table is replaced where the table now holds another
     * image.
     */
    @Override
    public Path images(BenchmarkFiles files, Path work, Consumer<DataException> unusable) {
        Path file = files.require(FileRole.ANNOTATIONS);
        MmBenchTable table = MmBench.questions(file);
        Map<Long, List<@Nullable String>> byIndex = table.by("index", file);
        for (Map.Entry<Long, Long> image : firstUses(imageRows(table, file)).entrySet()) {
            Path target = work.resolve(image.getKey() + ".jpg");
            try {
                writeWhereChanged(target, content(table, byIndex.get(image.getKey()), file, image));
            } catch (DataException e) {
                delete(target);
                unusable.accept(e);
            }
        }
        return work;
    }

    /** The rows that hold an image, each with the first row that uses it. */
    private static Map<Long, Long> firstUses(Map<Long, Long> imageRows) {
        Map<Long, Long> uses = new LinkedHashMap<>();
        imageRows.forEach((row, image) -> uses.putIfAbsent(image, row));
        return uses;
    }

    private static byte[] content(
            MmBenchTable table, @Nullable List<@Nullable String> row, Path file, Map.Entry<Long, Long> use) {
        if (row == null) {
            throw new DataException("%s: row %d takes its image from row %d, which is not in the table"
                    .formatted(file, use.getValue(), use.getKey()));
        }
        String image = table.text(row, "image");
        String where = "%s: row %d, column image".formatted(file, use.getKey());
        if (image.isEmpty()) {
            throw new DataException(
                    where + ": is empty; it must hold an image in base64, or the index of a row with one");
        }
        if (isIndex(image)) {
            throw new DataException(
                    "%s: names row %s, but row %d takes its image from here; name the row with the image"
                            .formatted(where, image, use.getValue()));
        }
        try {
            return Base64.getDecoder()
                    .decode(SPACE.matcher(DATA_URL.matcher(image).replaceFirst(""))
                            .replaceAll(""));
        } catch (IllegalArgumentException e) {
            throw new DataException("%s: is not base64 (%s)".formatted(where, e.getMessage()), e);
        }
    }

    private static void writeWhereChanged(Path target, byte[] content) {
        try {
            if (!Files.exists(target) || !Arrays.equals(Files.readAllBytes(target), content)) {
                AtomicFiles.write(target, content);
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(target, e.getMessage()), e);
        }
    }

    private static void delete(Path stale) {
        try {
            Files.deleteIfExists(stale);
        } catch (IOException e) {
            throw new DataException("%s: cannot be deleted (%s)".formatted(stale, e.getMessage()), e);
        }
    }

    private static boolean isIndex(String image) {
        return image.length() <= LONGEST_NUMBER && INDEX.matcher(image).matches();
    }

    /**
     * For each row the row that holds its image: the first with the same one, so that questions about it share a
     * prefill. Newer tables name that row instead of repeating the image.
     */
    private static Map<Long, Long> imageRows(MmBenchTable table, Path file) {
        Map<String, Long> first = new HashMap<>();
        Map<Long, Long> rows = new LinkedHashMap<>();
        for (List<@Nullable String> row : table.rows()) {
            long index = MmBenchTable.number(table.cell(row, "index"), file);
            String image = table.text(row, "image");
            // An empty cell is no image that rows could share.
            rows.put(
                    index,
                    isIndex(image)
                            ? MmBenchTable.number(image, file)
                            : image.isEmpty() ? index : first.computeIfAbsent(image, i -> index));
        }
        return rows;
    }

    /** Rotations are asked apart and count as one. */
    @Override
    public String name(Question question) {
        return Long.toString(Long.parseLong(question.id().value()) % MmBenchScore.ROTATION);
    }

    /** Options in a prompt stop at the first that is missing or reads nan or none. */
    public static List<String> promptOptions(MmBenchTable table, List<@Nullable String> row) {
        List<String> options = new ArrayList<>();
        for (String letter : List.of("A", "B", "C", "D")) {
            String option = table.cell(row, letter);
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
}
