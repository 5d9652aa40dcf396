package io.llava4j.eval.table;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Questions of a {@link Table}. Images inside the table become files that are named by their content; a column of paths refers to the
 * benchmark's folder of images, and one of row numbers, as newer TSV files have it, to the images of an earlier row.
 *
 * @param files the table's files among a benchmark's
 * @param asking a row's question; null for a row that is not asked
 */
public record TableQuestions(Function<BenchmarkFiles, List<Path>> files, Function<TableRow, @Nullable Asked> asking)
        implements QuestionSource {

    /** A table of one file, or of the parts that its name counts. */
    public TableQuestions(Function<TableRow, @Nullable Asked> asking) {
        this(files -> List.of(files.require(FileRole.ANNOTATIONS)), asking);
    }

    /**
     * A question of a row.
     *
     * @param id unique in the table
     * @param text the question without the lines that every question gets
     * @param imageColumns the columns of its images, in the order of the prompt
     * @param category of the answer file
     */
    public record Asked(QuestionId id, String text, List<String> imageColumns, String category) {
        /** A question about the image in the column {@code image}. */
        public Asked(QuestionId id, String text) {
            this(id, text, List.of("image"), "default");
        }
    }

    /** Passes on every row that is asked, with its question. */
    void eachAsked(BenchmarkFiles benchmark, BiConsumer<TableRow, Asked> rows) {
        List<Path> tables = files.apply(benchmark);
        boolean[] any = {false};
        Table.read(tables, row -> {
            Asked asked = asking.apply(row);
            if (asked != null) {
                any[0] = true;
                rows.accept(row, asked);
            }
        });
        if (!any[0]) {
            throw new DataException(
                    tables.getFirst() + ": none of its rows is a question of the split that this benchmark asks");
        }
    }

    @Override
    public List<Question> questions(BenchmarkFiles benchmark, UnaryOperator<String> render) {
        Map<String, Question> questions = new LinkedHashMap<>();
        eachAsked(benchmark, (row, asked) -> {
            Question question = new Question(
                    asked.id(), names(row, asked, questions), render.apply(asked.text()), asked.category(), null);
            if (questions.put(asked.id().value(), question) != null) {
                throw new DataException(
                        "%s: has the id %s of an earlier row; ids must differ".formatted(row.where(), asked.id()));
            }
        });
        return List.copyOf(questions.values());
    }

    /** An image that cannot be read gets the name of a file that is never written; the runner reports it. */
    private static List<String> names(TableRow row, Asked asked, Map<String, Question> earlier) {
        try {
            List<String> names = new ArrayList<>();
            for (CellImage image : row.images(asked.imageColumns())) {
                Question holder = image.bytes() == null ? earlier.get(image.name()) : null;
                names.addAll(holder == null ? List.of(image.name()) : holder.images());
            }
            return names;
        } catch (DataException e) {
            return List.of("unusable-%d.jpg".formatted(row.number()));
        }
    }

    @Override
    public Path images(BenchmarkFiles benchmark, Path work, Consumer<DataException> unusable) {
        boolean[] inside = {false};
        eachAsked(benchmark, (row, asked) -> {
            try {
                for (CellImage image : row.images(asked.imageColumns())) {
                    byte[] bytes = image.bytes();
                    if (bytes != null) {
                        inside[0] = true;
                        write(work.resolve(image.name()), bytes);
                    }
                }
            } catch (DataException e) {
                unusable.accept(e);
            }
        });
        return inside[0] ? work : QuestionSource.super.images(benchmark, work, unusable);
    }

    /** Right answers by question, for display. */
    public GroundTruth groundTruth(BenchmarkFiles benchmark, Function<TableRow, String> answer) {
        Map<String, String> truths = new HashMap<>();
        eachAsked(benchmark, (row, asked) -> truths.put(asked.id().value(), answer.apply(row)));
        return GroundTruth.of(truths);
    }

    /** A file of the same name has the same content, unless it was damaged. */
    private static void write(Path target, byte[] content) {
        try {
            if (!Files.exists(target) || Files.size(target) != content.length) {
                AtomicFiles.write(target, content);
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(target, e.getMessage()), e);
        }
    }
}
