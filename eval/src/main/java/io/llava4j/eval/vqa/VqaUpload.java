package io.llava4j.eval.vqa;

import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * LLaVA's conversion of {@code answers.jsonl} to what the VQAv2 server takes: every question of the split
 * file in its order, the last answer per id, {@code ""} where none, all through {@link M4cNormaliser}.
 *
 * @param answers by question id, in the order of the split file
 * @param brokenLines lines of the answer file that do not parse and were left out
 * @param duplicates answers overwritten by a later one
 * @param missing questions without an answer
 * @param unknown answers to questions that are not in the split
 */
public record VqaUpload(Map<QuestionId, String> answers, int brokenLines, int duplicates, int missing, int unknown) {

    /** Converts an answer file. */
    public static VqaUpload convert(List<Question> split, Path answerFile) {
        Map<QuestionId, String> given = new HashMap<>();
        int[] read = {0};
        int broken = JsonFiles.lines(answerFile, JsonFiles.BrokenLines.SKIP, line -> {
            Answer answer = AnswerFile.parse(line);
            given.put(answer.id(), answer.text());
            read[0]++;
        });
        Map<QuestionId, String> upload = new LinkedHashMap<>();
        Set<QuestionId> unknown = new HashSet<>(given.keySet());
        int missing = 0;
        for (Question question : split) {
            String answer = given.get(question.id());
            unknown.remove(question.id());
            missing += answer == null ? 1 : 0;
            upload.put(question.id(), answer == null ? "" : M4cNormaliser.normalise(answer));
        }
        return new VqaUpload(upload, broken, read[0] - given.size(), missing, unknown.size());
    }
}
