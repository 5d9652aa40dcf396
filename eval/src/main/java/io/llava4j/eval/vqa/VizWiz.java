package io.llava4j.eval.vqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** VizWiz (docs/reference/evaluation.md#vizwiz). Answers are matched by image. */
public final class VizWiz {
    /** LLaVA's question file and the official annotations of a split. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava_{test,val,train}.jsonl"),
                    FileRole.ANNOTATIONS,
                            List.of("{val,train}.json", "{annotations,Annotations}/val.json", "test.json"),
                    FileRole.IMAGES, List.of("test", "val", "images")),
            List.of(FileRole.QUESTIONS, FileRole.ANNOTATIONS));

    private static final Pattern LAST_NUMBER = Pattern.compile("(\\d+)\\D*$");

    private VizWiz() {}

    /** An annotated image; {@code answerable} is 1 or 0, null where the file does not say. */
    public record Annotated(
            VqaAnnotation annotation, @Nullable Long answerable) {}

    /** Answers by image, ready for the server. */
    public record Upload(Map<QuestionId, String> answers, Coverage coverage, int results) {}

    /** Official questions as LLaVA asks them; ids are the numbers in the images' names. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        JsonFiles.arrays(file, (field, entry) -> {
            String image = entry.text("image");
            Matcher number = LAST_NUMBER.matcher(image);
            questions.add(new Question(
                    QuestionId.of(number.find() ? Long.parseLong(number.group(1)) : questions.size()),
                    image,
                    render.apply(entry.text("question")),
                    "default"));
        });
        return questions;
    }

    /** Official code knows a question by its image. */
    public static String name(Question question) {
        return String.valueOf(question.image());
    }

    /** Scores the upload with VizWiz's own code; percent with two decimals. */
    public static Score score(ScoreInput input) {
        Upload upload = convert(input.files(), input.answers());
        List<Annotated> annotated = annotations(input.files().require(FileRole.ANNOTATIONS));
        VqaScore score = score(annotated, upload.answers(), VqaAccuracy.Rule.VIZWIZ);
        return new Score(
                "accuracy",
                score.rounded(2).numbers(),
                score.shares(),
                score.samples(),
                upload.coverage().warnings("count as wrong"),
                input.strict()
                        ? new Score.Strict(
                                "the ten human answers are normalised like the prediction",
                                score(annotated, upload.answers(), VqaAccuracy.Rule.M4C)
                                        .rounded(2)
                                        .numbers())
                        : null);
    }

    /** Writes what the server takes. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        AtomicFiles.write(
                target,
                PythonJson.dumps(records(convert(files, answers).answers())).getBytes(StandardCharsets.UTF_8));
    }

    public static List<Map<String, Object>> records(Map<QuestionId, String> upload) {
        List<Map<String, Object>> records = new ArrayList<>();
        upload.forEach((image, answer) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("image", image);
            entry.put("answer", answer);
            records.add(entry);
        });
        return records;
    }

    public static VqaScore score(List<Annotated> annotated, Map<QuestionId, String> answers, VqaAccuracy.Rule rule) {
        VqaAccuracy accuracy = new VqaAccuracy(rule, answers);
        annotated.forEach(a -> accuracy.add(a.annotation()));
        return accuracy.score();
    }

    public static List<Annotated> annotations(Path file) {
        List<Annotated> annotations = new ArrayList<>();
        JsonFiles.arrays(file, (field, entry) -> annotations.add(annotated(entry)));
        if (annotations.isEmpty()) {
            throw new DataException(file + ": holds no annotations; is it the right file?");
        }
        return annotations;
    }

    private static Annotated annotated(JsonRecord entry) {
        List<VqaAnnotation.HumanAnswer> answers = new ArrayList<>();
        if (!entry.node().has("answers")) {
            throw new GroundTruthMissingException(
                    entry.where() + ": has no 'answers'; those of the test split are known to the server only");
        }
        for (JsonRecord answer : entry.objects("answers")) {
            answers.add(
                    new VqaAnnotation.HumanAnswer(answer.text("answer"), answer.scalar("answer_confidence", ""), null));
        }
        if (answers.isEmpty()) {
            throw new DataException(entry.where() + ": the question has no human answers");
        }
        return new Annotated(
                new VqaAnnotation(QuestionId.of(entry.text("image")), "default", entry.text("answer_type"), answers),
                entry.node().has("answerable") ? entry.integer("answerable") : null);
    }

    /**
     * LLaVA's conversion: lines that do not parse are left out, the last answer per question counts, every question of
     * the split must be answered. A file for the server is taken as it is.
     */
    public static Upload convert(BenchmarkFiles files, Path answers) {
        ResultFile file = ResultFile.read(answers, "image", "answer", BrokenLines.SKIP);
        Map<QuestionId, String> given = new LinkedHashMap<>();
        file.last().forEach((id, answer) -> given.put(id, answer.text()));
        List<QuestionId> answered =
                file.answers().stream().map(answer -> answer.id()).toList();
        if (file.official()) {
            return new Upload(given, Coverage.of(given.keySet(), answered, 0), given.size());
        }
        List<Question> split = split(files);
        Coverage coverage = Coverage.of(split.stream().map(Question::id).toList(), answered, file.brokenLines());
        if (!coverage.missing().isEmpty()) {
            throw new DataException("%s: %d questions have no answer (the first is %s); LLaVA's converter refuses that"
                    .formatted(
                            answers,
                            coverage.missing().size(),
                            coverage.missing().getFirst()));
        }
        Map<QuestionId, String> upload = new LinkedHashMap<>();
        for (Question question : split) {
            upload.put(
                    QuestionId.of(String.valueOf(question.image())),
                    M4cNormaliser.normalise(Objects.requireNonNull(given.get(question.id()))));
        }
        return new Upload(upload, coverage, given.size());
    }

    private static List<Question> split(BenchmarkFiles files) {
        Path questions = files.find(FileRole.QUESTIONS);
        return questions == null
                ? official(files.require(FileRole.ANNOTATIONS), UnaryOperator.identity())
                : QuestionFile.read(questions);
    }

    /**
     * The second task: how well {@code answerable} scores find unanswerable questions.
     *
     * @param annotated the ground truth
     * @param scores by image, 1 for answerable
     * @return average precision and F1 of "unanswerable", percent with two decimals
     */
    public static Map<String, Double> unanswerability(List<Annotated> annotated, Map<String, Double> scores) {
        record Ranked(double score, boolean unanswerable) {}
        List<Ranked> ranked = new ArrayList<>();
        int truePositives = 0;
        int predicted = 0;
        int unanswerable = 0;
        for (Annotated entry : annotated) {
            String image = entry.annotation().id().value();
            Double score = scores.get(image);
            if (score == null || entry.answerable() == null) {
                throw new DataException("%s: has no 'answerable'".formatted(image));
            }
            boolean truth = entry.answerable() == 0;
            boolean says = 1 - score > 0.5;
            ranked.add(new Ranked(1 - score, truth));
            unanswerable += truth ? 1 : 0;
            predicted += says ? 1 : 0;
            truePositives += truth && says ? 1 : 0;
        }
        ranked.sort((a, b) -> Double.compare(b.score(), a.score()));
        double precisionSum = 0;
        int found = 0;
        int foundBefore = 0;
        for (int i = 0; i < ranked.size(); i++) {
            found += ranked.get(i).unanswerable() ? 1 : 0;
            boolean lastOfTies = i + 1 == ranked.size()
                    || ranked.get(i + 1).score() != ranked.get(i).score();
            if (lastOfTies) {
                precisionSum += (found - foundBefore) * (double) found / (i + 1);
                foundBefore = found;
            }
        }
        Map<String, Double> result = new LinkedHashMap<>();
        result.put("average_precision", PythonText.round(unanswerable == 0 ? 0 : 100 * precisionSum / unanswerable, 2));
        int marked = predicted + unanswerable;
        result.put("f1_score", PythonText.round(marked == 0 ? 0 : 100 * 2.0 * truePositives / marked, 2));
        return result;
    }
}
