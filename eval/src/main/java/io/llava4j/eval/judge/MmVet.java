package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.OtherEdition;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/** MM-Vet (docs/reference/evaluation.md#mm-vet): a judge grades each answer from 0 to 1. */
public final class MmVet {
    /** LLaVA's question file, the official data, and the few-shot prompt of MM-Vet's evaluator as a text file. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava-mm-vet.jsonl"),
                    FileRole.ANNOTATIONS, List.of("mm-vet.json", "mm-vet/mm-vet.json"),
                    FileRole.RULES, List.of("mm-vet-prompt.txt", "mm-vet_evaluator.py", "mm-vet_evaluator.ipynb"),
                    FileRole.IMAGES, List.of("images", "mm-vet/images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("mm-vet"));

    private static final String JUDGE = "gpt-4-0613";
    private static final String PREFIX = "v1_";
    private static final String AGAIN = "\nPredict the correctness of the answer (digit): ";
    private static final int RETRIES = 5;
    private static final double WARMER = 0.5;

    private MmVet() {}

    /** A sample. */
    public record Sample(String id, String image, String question, String answer, List<String> capabilities) {}

    /**
     * Grades of one sample, one per run.
     *
     * @param models who judged
     * @param contents what was said, cut to the number where it could be read
     * @param scores 0..1, or NaN, which passes as a number
     */
    public record Grade(List<String> models, List<String> contents, List<Double> scores) {}

    /** Official questions, which carry no response-format prompt. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        return samples(file).values().stream()
                .map(s -> new Question(
                        s.id().startsWith(PREFIX) && s.id().matches("v1_\\d+")
                                ? QuestionId.of(Long.parseLong(s.id().substring(PREFIX.length())))
                                : QuestionId.of(s.id()),
                        s.image(),
                        render.apply(s.question()),
                        "conv"))
                .toList();
    }

    /** MM-Vet's own name of LLaVA's question. */
    public static String name(Question question) {
        return question.id().number() ? PREFIX + question.id() : question.id().value();
    }

    public static Map<String, Sample> samples(Path file) {
        Map<String, Sample> samples = new LinkedHashMap<>();
        JsonFiles.fields(
                file,
                (id, record) -> samples.put(
                        checked(id, record),
                        new Sample(
                                id,
                                record.text("imagename"),
                                record.text("question"),
                                record.text("answer"),
                                record.texts("capability"))));
        if (samples.isEmpty()) {
            throw new DataException(file + ": holds no samples; is it mm-vet.json?");
        }
        return samples;
    }

    /** MM-Vet v2 has other ids, and its questions name their images inside the text. */
    private static String checked(String id, JsonRecord record) {
        if (id.startsWith("v2_")
                || (!record.node().has("imagename") && record.node().has("added_in"))) {
            throw OtherEdition.refused(record.where(), "MM-Vet v2's question " + id, "MM-Vet v1 (mm-vet.json)");
        }
        return id;
    }

    /** Answers by sample: LLaVA's {@code answers.jsonl}, or results as MM-Vet's own evaluator reads them. */
    public static Map<String, String> answers(Path file) {
        Map<String, String> answers = new LinkedHashMap<>();
        if (JsonFiles.firstCharacter(file) == '{' && isOneObject(file)) {
            JsonNode results = JsonFiles.tree(file);
            results.properties()
                    .forEach(e -> answers.put(e.getKey(), e.getValue().asString("")));
        } else {
            ResultFile.read(file, "id", "prediction", BrokenLines.REFUSE)
                    .answers()
                    .forEach(answer -> answers.put(PREFIX + answer.id().value(), answer.text()));
        }
        return answers;
    }

    /** Whether a file is one JSON object over all its lines, rather than an object per line. */
    private static boolean isOneObject(Path file) {
        JsonNode first = JsonFiles.firstLine(file);
        return first == null || !first.has("question_id");
    }

    /** Writes results as MM-Vet's evaluator reads them, byte for byte as LLaVA's converter. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        AtomicFiles.write(target, results(answers(answers)).getBytes(StandardCharsets.UTF_8));
    }

    /** {@code json.dump(results, indent=2)}. */
    public static String results(Map<String, String> answers) {
        StringBuilder out = new StringBuilder("{");
        String separator = "\n  ";
        for (Map.Entry<String, String> entry : answers.entrySet()) {
            out.append(separator)
                    .append(PythonJson.dumps(entry.getKey()))
                    .append(": ")
                    .append(PythonJson.dumps(entry.getValue()));
            separator = ",\n  ";
        }
        return out.append(answers.isEmpty() ? "}" : "\n}").toString();
    }

    /**
     * Grades an answer: asks, and asks again with a line more and ever warmer where the reply is no number from 0 to 1;
     * after five more replies the score is 0.
     *
     * @param prompt the evaluator's few-shot prompt
     * @param judge answers a request
     */
    public static Grade grade(Sample sample, String answer, String prompt, Function<JudgeRequest, String> judge) {
        String asked = prompt + "\n"
                + String.join(
                        " | ",
                        sample.question(),
                        sample.answer().replace("<AND>", " <AND> ").replace("<OR>", " <OR> "),
                        answer,
                        "");
        String content = judge.apply(request(sample.id(), asked, 0));
        for (int retry = 0; ; retry++) {
            String number = PythonText.strip(PythonText.splitAtSpaces(content).getFirst());
            OptionalDouble score = PythonText.parseFloat(number);
            if (retry < RETRIES && score.isPresent() && !(score.getAsDouble() > 1 || score.getAsDouble() < 0)) {
                return new Grade(List.of(JUDGE), List.of(number), List.of(score.getAsDouble()));
            }
            if (retry == RETRIES) {
                return new Grade(List.of(JUDGE), List.of(content), List.of(0.0));
            }
            content = judge.apply(request(sample.id(), asked + AGAIN, retry * WARMER));
        }
    }

    private static JudgeRequest request(String id, String content, double temperature) {
        return new JudgeRequest(id, JUDGE, List.of(new JudgeRequest.Message("user", content)), temperature, 3);
    }

    /**
     * Has every answer graded.
     *
     * @param judge answers a request
     * @return grades by sample
     * @throws DataException if a sample has no answer, or the folder no prompt
     */
    public static Map<String, Grade> grade(
            BenchmarkFiles files, Path answerFile, Function<JudgeRequest, String> judge) {
        Path rules = files.find(FileRole.RULES);
        if (rules == null) {
            throw new DataException(
                    "%s: has no few-shot prompt for the judge; put mm-vet_evaluator.py of github.com/yuweihao/MM-Vet there, whose licence does not let it come with this program"
                            .formatted(files.folder()));
        }
        String prompt = MmVetPrompt.read(rules);
        Map<String, String> answers = answers(answerFile);
        Map<String, Grade> grades = new LinkedHashMap<>();
        samples(files.require(FileRole.ANNOTATIONS)).forEach((id, sample) -> {
            String answer = answers.get(id);
            if (answer == null) {
                throw new DataException("%s: no answer to %s".formatted(answerFile, id));
            }
            grades.put(id, grade(sample, answer, prompt, judge));
        });
        return grades;
    }

    /** Reads a grade file of MM-Vet's evaluator. */
    public static Map<String, Grade> grades(Path file) {
        Map<String, Grade> grades = new LinkedHashMap<>();
        JsonFiles.fields(file, (id, record) -> grades.put(id, grade(record)));
        return grades;
    }

    private static Grade grade(JsonRecord record) {
        JsonNode scores = record.node().path("score");
        if (!scores.isArray() || scores.isEmpty() || !scores.valueStream().allMatch(JsonNode::isNumber)) {
            throw new DataException(record.where() + ": 'score' must be a list of numbers");
        }
        return new Grade(
                record.texts("model"),
                record.texts("content"),
                scores.valueStream().map(JsonNode::doubleValue).toList());
    }

    /** A grade file's content. */
    public static String render(Map<String, Grade> grades) {
        Map<String, Object> document = new LinkedHashMap<>();
        grades.forEach((id, grade) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("model", grade.models());
            entry.put("content", grade.contents());
            entry.put("score", grade.scores());
            document.put(id, entry);
        });
        return PythonJson.dumps(document);
    }

    /** Scores a grade file, or answers with a judge's replies; percent with one decimal. */
    public static Score score(ScoreInput input) {
        Map<String, Sample> samples = samples(input.files().require(FileRole.ANNOTATIONS));
        Map<String, Grade> grades;
        if (isGradeFile(input.answers())) {
            grades = grades(input.answers());
        } else if (input.replies() != null) {
            grades = grade(input.files(), input.answers(), JudgeReplies.read(input.replies()));
        } else {
            throw new DataException(
                    input.answers() + ": holds no grades; answers need a judge's replies beside them (--replies)");
        }
        MmVetScore score = MmVetScore.of(samples, grades);
        Coverage coverage = Coverage.of(samples.keySet(), grades.keySet(), 0);
        List<String> warnings = new ArrayList<>(coverage.warnings("count as 0"));
        List<String> odd = grades.entrySet().stream()
                .filter(e -> e.getValue().scores().stream().anyMatch(s -> s.isNaN()))
                .map(Map.Entry::getKey)
                .toList();
        if (!odd.isEmpty()) {
            warnings.add("the grade of %s is nan, which makes every mean nan".formatted(odd));
        }
        Map<String, Double> perQuestion = new LinkedHashMap<>();
        grades.forEach((id, grade) -> perQuestion.put(
                id, grade.scores().stream().mapToDouble(s -> s).average().orElse(0)));
        return new Score(
                "total",
                score.numbers(1),
                perQuestion,
                grades.size(),
                warnings,
                input.strict()
                        ? new Score.Strict(
                                "a grade that is no number counts as 0",
                                MmVetScore.of(samples, withoutNaN(grades)).numbers(1))
                        : null);
    }

    private static Map<String, Grade> withoutNaN(Map<String, Grade> grades) {
        Map<String, Grade> clean = new LinkedHashMap<>();
        grades.forEach((id, grade) -> clean.put(
                id,
                new Grade(
                        grade.models(),
                        grade.contents(),
                        grade.scores().stream().map(s -> s.isNaN() ? 0.0 : s).toList())));
        return clean;
    }

    private static boolean isGradeFile(Path file) {
        if (JsonFiles.firstCharacter(file) != '{' || !isOneObject(file)) {
            return false;
        }
        return JsonFiles.tree(file)
                .valueStream()
                .allMatch(entry -> entry.path("score").isArray());
    }
}
