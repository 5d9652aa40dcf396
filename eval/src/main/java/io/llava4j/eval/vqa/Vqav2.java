package io.llava4j.eval.vqa;

import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** VQAv2 (docs/reference/evaluation.md#vqav2). */
public final class Vqav2 {
    /** LLaVA's question file or the official questions, annotations, and for an upload all questions of the test split. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS,
                            List.of(
                                    "llava_vqav2_*test-dev*.jsonl",
                                    "llava_vqav2_*.jsonl",
                                    "v2_*test-dev*questions.json",
                                    "v2_*questions.json",
                                    "vqa_questions.json"),
                    FileRole.SPLITS, List.of("llava_vqav2_*test2015.jsonl", "v2_*test2015_questions.json"),
                    FileRole.ANNOTATIONS, List.of("v2_*annotations.json", "vqa_annotations.json"),
                    FileRole.IMAGES, List.of("test2015", "val2014", "images")),
            List.of(FileRole.ANNOTATIONS, FileRole.QUESTIONS));

    private Vqav2() {}

    /** Official questions as LLaVA asks them. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        String subtype = VqaFiles.dataSubtype(file).replace("test-dev", "test");
        return VqaFiles.readQuestions(file).stream()
                .map(q -> new Question(
                        q.id(),
                        String.format(Locale.ROOT, "COCO_%s_%012d.jpg", subtype, q.imageId()),
                        render.apply(q.question()),
                        "default"))
                .toList();
    }

    /**
     * Converts answers as LLaVA does for the server and scores them with the official metric; a results file is scored as
     * it is. Percent with two decimals.
     */
    public static Score score(ScoreInput input) {
        VqaUpload upload = convert(input.files(), input.answers());
        VqaAccuracy official = new VqaAccuracy(VqaAccuracy.Rule.VQA, upload.answers());
        @Nullable VqaAccuracy strict = input.strict() ? new VqaAccuracy(VqaAccuracy.Rule.M4C, upload.answers()) : null;
        VqaFiles.annotations(input.files().require(FileRole.ANNOTATIONS), annotation -> {
            official.add(annotation);
            if (strict != null) {
                strict.add(annotation);
            }
        });
        VqaScore score = official.score();
        return new Score(
                "accuracy",
                score.rounded(2).numbers(),
                score.shares(),
                score.samples(),
                upload.coverage().warnings("count as answered with nothing"),
                strict == null
                        ? null
                        : new Score.Strict(
                                "both sides are normalised for every question, not only where people disagree",
                                strict.score().rounded(2).numbers()));
    }

    /** The official score with its parts, not rounded. */
    public static VqaScore details(BenchmarkFiles files, Path answers) {
        VqaAccuracy accuracy =
                new VqaAccuracy(VqaAccuracy.Rule.VQA, convert(files, answers).answers());
        VqaFiles.annotations(files.require(FileRole.ANNOTATIONS), accuracy::add);
        return accuracy.score();
    }

    /** Writes what the server takes. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        VqaFiles.writeResults(target, convert(files, answers).answers());
    }

    public static VqaUpload convert(BenchmarkFiles files, Path answers) {
        // The server takes answers to the whole test split, of which test-dev, which is asked, is a part.
        Path split = files.find(FileRole.ANNOTATIONS) == null ? files.find(FileRole.SPLITS) : null;
        Path questions = split == null ? files.require(FileRole.QUESTIONS) : split;
        return VqaUpload.convert(
                questions.toString().endsWith(".jsonl")
                        ? QuestionFile.read(questions)
                        : official(questions, UnaryOperator.identity()),
                answers);
    }
}
