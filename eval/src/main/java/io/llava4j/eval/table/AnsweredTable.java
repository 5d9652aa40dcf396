package io.llava4j.eval.table;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.ScoreInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The asked rows of a table in their order, with answers.
 *
 * @param <T> what a scorer reads from a row
 * @param rows never empty
 * @param warnings missing, repeated and unknown ids
 */
public record AnsweredTable<T>(List<AnsweredRow<T>> rows, List<String> warnings) {
    /**
     * Joins table and answers by id. The number 7 and the text "7" are the same id, since a table does not distinguish them.
     *
     * @param truth reads a row
     * @throws DataException naming the file or row that is missing or broken
     */
    public static <T> AnsweredTable<T> of(TableQuestions questions, ScoreInput input, Function<TableRow, T> truth) {
        ResultFile file = ResultFile.read(input.answers(), "index", "prediction", BrokenLines.REFUSE);
        Map<String, String> answers = new HashMap<>();
        List<String> answered = new ArrayList<>();
        for (Answer answer : file.answers()) {
            answers.put(answer.id().value(), answer.text());
            answered.add(answer.id().value());
        }
        List<AnsweredRow<T>> rows = new ArrayList<>();
        questions.eachAsked(
                input.files(),
                (row, asked) -> rows.add(new AnsweredRow<>(
                        asked.id(), truth.apply(row), answers.get(asked.id().value()))));
        return new AnsweredTable<>(
                rows,
                Coverage.of(rows.stream().map(row -> row.id().value()).toList(), answered, 0)
                        .warnings("count as wrong"));
    }
}
