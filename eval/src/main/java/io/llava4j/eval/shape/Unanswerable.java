package io.llava4j.eval.shape;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.vqa.M4cNormaliser;
import io.llava4j.eval.vqa.VizWiz;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * VizWiz's questions that the image does not answer: how often is the answer "Unanswerable"? The paper's 11.1 % without
 * the prompt and 67.8 % with it are this share (paper section 4.3).
 */
public final class Unanswerable {
    /** VizWiz's annotations, which say what can be answered, and its images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS, List.of("{val,train}.json", "{annotations,Annotations}/val.json"),
                    FileRole.IMAGES, List.of("val", "images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("vizwiz"));

    private static final String WORD = "unanswerable";

    private Unanswerable() {}

    /** Percent of unanswerable questions called so, and of answerable ones, asked beside them, wrongly called so. */
    public static Score score(ScoreInput input) {
        Path file = input.files().require(FileRole.ANNOTATIONS);
        Map<QuestionId, Boolean> truths = truths(file);
        Means called = new Means();
        called.expect(WORD);
        called.expect("answerable");
        Map<String, Double> perQuestion = new LinkedHashMap<>();
        List<Answer> answers = AnswerFile.readSome(input.answers());
        Map<QuestionId, Answer> last = new LinkedHashMap<>();
        answers.forEach(answer -> last.put(answer.id(), answer));
        truths.forEach((id, unanswerable) -> {
            Answer answer = last.get(id);
            double said =
                    answer != null && M4cNormaliser.normalise(answer.text()).equals(WORD) ? 1 : 0;
            called.add(unanswerable ? WORD : "answerable", said);
            if (unanswerable) {
                perQuestion.put(id.toString(), said);
            }
        });
        if (perQuestion.isEmpty()) {
            throw new DataException(file + ": has no unanswerable question ('answerable': 0)");
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("called_unanswerable", 100 * called.mean(WORD));
        numbers.put("wrongly_called_unanswerable", 100 * called.mean("answerable"));
        return new Score(
                "called_unanswerable",
                numbers,
                perQuestion,
                perQuestion.size(),
                Coverage.of(truths.keySet(), answers.stream().map(Answer::id).toList(), 0)
                        .warnings("count as answered otherwise"),
                null);
    }

    private static Map<QuestionId, Boolean> truths(Path file) {
        Map<String, Boolean> byImage = new HashMap<>();
        JsonFiles.arrays(file, (field, entry) -> {
            if (!entry.node().has("answerable")) {
                throw new DataException(entry.where()
                        + ": does not say what is answerable; the test split's file does not, val.json does");
            }
            byImage.put(entry.text("image"), entry.integer("answerable") == 0);
        });
        Map<QuestionId, Boolean> truths = new LinkedHashMap<>();
        for (Question question : VizWiz.official(file, UnaryOperator.identity())) {
            truths.put(question.id(), byImage.getOrDefault(String.valueOf(question.image()), false));
        }
        return truths;
    }
}
