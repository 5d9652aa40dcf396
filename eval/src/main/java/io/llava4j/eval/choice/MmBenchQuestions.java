package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.io.AtomicFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** MMBench's table as questions; its images are inside, in base64. */
public final class MmBenchQuestions implements QuestionSource {
    /** Digits of a row's number; an image in base64 is longer. */
    private static final int LONGEST_NUMBER = 18;

    @Override
    public List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render) {
        Path file = files.require(FileRole.ANNOTATIONS);
        MmBenchTable table = MmBenchTable.read(file);
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
     * Writes the images that the table holds, where they are not there yet, as {@code <index>.jpg}, whatever their
     * format; one that several rows have, as a question's rotations do, is written once.
     */
    @Override
    public Path images(BenchmarkFiles files, Path work) {
        Path file = files.require(FileRole.ANNOTATIONS);
        MmBenchTable table = MmBenchTable.read(file);
        Map<Long, List<@Nullable String>> byIndex = table.by("index", file);
        for (long index : new LinkedHashSet<>(imageRows(table, file).values())) {
            Path target = work.resolve(index + ".jpg");
            String image = table.text(byIndex.getOrDefault(index, List.of()), "image");
            if (!Files.exists(target)) {
                try {
                    AtomicFiles.write(target, Base64.getMimeDecoder().decode(image));
                } catch (IllegalArgumentException e) {
                    throw new DataException("%s: the image of row %d is not base64".formatted(file, index), e);
                }
            }
        }
        return work;
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
            boolean names = image.length() <= LONGEST_NUMBER && image.matches("\\d+");
            rows.put(index, names ? Long.parseLong(image) : first.computeIfAbsent(image, i -> index));
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
