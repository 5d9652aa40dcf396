package io.llava4j.eval.format;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Answers as a pipeline left them: LLaVA's {@code answers.jsonl}, or the file that a benchmark's own code reads, a JSON
 * array or JSON lines with other field names. Which of the two it is shows in the first record.
 *
 * @param answers in file order; ids may repeat
 * @param official whether the file is the benchmark's own, so that its answers are taken as they are
 * @param brokenLines lines that were not JSON and were left out
 */
public record ResultFile(List<Answer> answers, boolean official, int brokenLines) {
    /**
     * Reads either kind.
     *
     * @param file JSON lines or a JSON array
     * @param idField the official file's name for the id
     * @param answerField the official file's name for the answer
     * @param broken what happens to lines that are not JSON
     * @throws DataException naming file and line, also where the file holds no answer
     */
    public static ResultFile read(Path file, String idField, String answerField, BrokenLines broken) {
        List<Answer> answers = new ArrayList<>();
        boolean[] official = {false};
        int skipped = 0;
        if (JsonFiles.firstCharacter(file) == '[') {
            official[0] = true;
            JsonFiles.arrays(file, (field, element) -> answers.add(official(element, idField, answerField)));
        } else {
            skipped = JsonFiles.lines(file, broken, line -> {
                if (answers.isEmpty()) {
                    official[0] = !line.node().has("text") && line.node().has(answerField);
                }
                answers.add(official[0] ? official(line, idField, answerField) : AnswerFile.parse(line));
            });
        }
        if (answers.isEmpty()) {
            throw new DataException(file + ": holds no answers");
        }
        return new ResultFile(answers, official[0], skipped);
    }

    /** The last answer per question, at the position of the first, as Python's {@code dict} keeps them. */
    public Map<QuestionId, Answer> last() {
        Map<QuestionId, Answer> last = new LinkedHashMap<>();
        answers.forEach(answer -> last.put(answer.id(), answer));
        return last;
    }

    private static Answer official(JsonRecord entry, String idField, String answerField) {
        return new Answer(entry.id(idField), "", entry.text(answerField), "", "");
    }
}
