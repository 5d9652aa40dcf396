package io.llava4j.eval.vqa;

import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.Coverage;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * LLaVA's conversion of {@code answers.jsonl} to what the VQAv2 server takes: every question of the split file in its
 * order, the last answer per id, {@code ""} where none, all through {@link M4cNormaliser}. A file that was converted
 * already is taken as it is.
 *
 * @param answers by question id, in the order of the split file
 * @param coverage how answers and questions fit
 */
public record VqaUpload(Map<QuestionId, String> answers, Coverage coverage) {
    /** Converts an answer file. */
    public static VqaUpload convert(List<Question> split, Path answerFile) {
        ResultFile file = ResultFile.read(answerFile, "question_id", "answer", BrokenLines.SKIP);
        Map<QuestionId, String> given = HashMap.newHashMap(file.answers().size());
        file.answers().forEach(answer -> given.put(answer.id(), answer.text()));
        Map<QuestionId, String> upload = LinkedHashMap.newLinkedHashMap(split.size());
        if (file.official()) {
            upload.putAll(given);
        } else {
            VqaAccuracy.Cache cache = new VqaAccuracy.Cache();
            for (Question question : split) {
                String answer = given.get(question.id());
                upload.put(question.id(), answer == null ? "" : cache.normalise(answer, M4cNormaliser::normalise));
            }
        }
        return new VqaUpload(
                upload,
                Coverage.of(
                        split.stream().map(Question::id).toList(),
                        file.answers().stream().map(a -> a.id()).toList(),
                        file.brokenLines()));
    }
}
