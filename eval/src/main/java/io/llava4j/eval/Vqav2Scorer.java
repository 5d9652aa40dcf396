package io.llava4j.eval;

import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.vqa.VqaAccuracy;
import io.llava4j.eval.vqa.VqaFiles;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.eval.vqa.VqaUpload;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Converts answers as LLaVA does for the VQAv2 server and scores them with the official metric. The folder holds
 * {@code llava_vqav2_mscoco_*.jsonl} and {@code v2_mscoco_*_annotations.json}. Numbers are percent with two decimals.
 */
public final class Vqav2Scorer implements Scorer {
    @Override
    public Score score(Path folder, Path answers) {
        return score(
                QuestionFile.read(BenchmarkFolder.only(folder, "llava_vqav2_mscoco_*.jsonl")),
                BenchmarkFolder.only(folder, "v2_mscoco_*_annotations.json"),
                answers);
    }

    /**
     * Scores answers to questions that stand anywhere.
     *
     * @param questions what was asked
     * @param annotations VQAv2's {@code v2_mscoco_*_annotations.json}
     * @param answers LLaVA's {@code answers.jsonl}
     * @throws io.llava4j.DataException naming the file that is missing, broken or does not fit
     */
    public static Score score(List<Question> questions, Path annotations, Path answers) {
        VqaUpload upload = VqaUpload.convert(questions, answers);
        VqaScore score = VqaAccuracy.score(VqaFiles.readAnnotations(annotations), upload.answers())
                .rounded(2);
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("accuracy", score.overall());
        score.perAnswerType().forEach((type, value) -> numbers.put("answer_type/" + type, value));
        score.perQuestionType().forEach((type, value) -> numbers.put("question_type/" + type, value));
        return new Score("accuracy", numbers, score.samples(), warnings(upload));
    }

    private static List<String> warnings(VqaUpload upload) {
        List<String> warnings = new ArrayList<>();
        warn(warnings, upload.brokenLines(), "lines are not JSON and were left out");
        warn(warnings, upload.duplicates(), "answers were replaced by a later one to the same question");
        warn(warnings, upload.missing(), "questions have no answer and count as answered with nothing");
        warn(warnings, upload.unknown(), "answers belong to no question");
        return warnings;
    }

    private static void warn(List<String> warnings, int count, String what) {
        if (count > 0) {
            warnings.add(count + " " + what);
        }
    }
}
