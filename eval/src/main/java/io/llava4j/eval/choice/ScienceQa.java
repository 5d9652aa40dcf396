package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** ScienceQA's test split, whose questions with an image are the published number (docs/reference/evaluation.md#scienceqa). */
public final class ScienceQa {
    /** LLaVA's question file, the official problems and splits. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava_test_CQM-A.json"),
                    FileRole.ANNOTATIONS, List.of("problems.json"),
                    FileRole.SPLITS, List.of("pid_splits.json"),
                    FileRole.IMAGES, List.of("images/test", "test", "images")),
            List.of(FileRole.ANNOTATIONS, FileRole.SPLITS));

    static final String FAILED = "FAILED";

    private static final String LETTERS = "ABCDE";
    private static final String IMAGE = "<image>";

    /** The mark at the end is any character but a newline, so {@code The answer is Blue.} gives B. */
    private static final Pattern SENTENCE = Pattern.compile("The answer is ([A-Z])[^\n]");

    private ScienceQa() {}

    /** A problem of the test split. */
    public record Problem(String id, JsonRecord record) {
        List<String> choices() {
            return record.texts("choices");
        }

        public int answer() {
            return (int) record.integer("answer");
        }

        boolean hasImage() {
            return record.optionalText("image") != null;
        }
    }

    /** What became of a problem. */
    public record Judged(Problem problem, String parsed, int index, boolean multimodal) {
        public boolean correct() {
            return index == problem.answer();
        }
    }

    /** LLaVA's conversations where they are there, else the official problems. */
    public static List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render) {
        Path conversations = files.find(FileRole.QUESTIONS);
        return conversations == null ? official(files, render) : conversations(conversations, render);
    }

    /**
     * LLaVA's conversations as questions.
     *
     * @param render adds the response-format prompt
     */
    private static List<Question> conversations(Path file, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        JsonFiles.arrays(file, (field, entry) -> {
            String text = entry.objects("conversations").getFirst().text("value");
            questions.add(new Question(
                    QuestionId.of(entry.id("id").value()),
                    entry.optionalText("image"),
                    render.apply(PythonText.strip(text.replace(IMAGE, ""))),
                    "default"));
        });
        return questions;
    }

    /** The test split's problems as LLaVA asks them: context where there is a hint, question, lettered choices. */
    private static List<Question> official(BenchmarkFiles files, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        for (Problem problem : problems(files)) {
            String hint = problem.record().optionalText("hint");
            String image = problem.record().optionalText("image");
            questions.add(new Question(
                    QuestionId.of(problem.id()),
                    image == null ? null : problem.id() + "/" + image,
                    render.apply((hint == null || hint.isEmpty() ? "" : "Context: " + hint + "\n")
                            + Options.lettered(problem.record().text("question"), problem.choices())),
                    "default"));
        }
        return questions;
    }

    /** Accuracy over the split and over questions with an image, in percent. */
    public static Score score(ScoreInput input) {
        List<Problem> problems = problems(input.files());
        ResultFile file = ResultFile.read(input.answers(), "question_id", "text", BrokenLines.REFUSE);
        List<Judged> judged = judge(problems, file.last());
        Map<String, Double> shares = new LinkedHashMap<>();
        judged.forEach(j -> shares.put(j.problem().id(), j.correct() ? 1.0 : 0.0));
        Coverage coverage = Coverage.of(
                problems.stream().map(p -> QuestionId.of(p.id())).toList(),
                file.answers().stream().map(Answer::id).toList(),
                0);
        return new Score(
                "img_accuracy",
                numbers(judged, judged.stream().filter(Judged::multimodal).toList()),
                shares,
                judged.size(),
                coverage.warnings("count as wrong in the total, but are left out of the images' accuracy"),
                input.strict()
                        ? new Score.Strict(
                                "every question that has an image counts, also one without an answer",
                                numbers(
                                        judged,
                                        judged.stream()
                                                .filter(j -> j.problem().hasImage())
                                                .toList()))
                        : null);
    }

    public static double accuracy(List<Judged> judged) {
        long correct = judged.stream().filter(Judged::correct).count();
        return judged.isEmpty() ? 0 : (double) correct / judged.size() * 100;
    }

    private static Map<String, Double> numbers(List<Judged> all, List<Judged> withImage) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("img_accuracy", accuracy(withImage));
        numbers.put("accuracy", accuracy(all));
        return numbers;
    }

    public static List<Problem> problems(BenchmarkFiles files) {
        Map<String, JsonRecord> all = new LinkedHashMap<>();
        Path problems = files.require(FileRole.ANNOTATIONS);
        JsonFiles.fields(problems, all::put);
        Path named = files.find(FileRole.SPLITS);
        Path splits = named == null ? problems.resolveSibling("pid_splits.json") : named;
        List<String> test = new JsonRecord(JsonFiles.tree(splits), splits.toString()).texts("test");
        if (test.isEmpty()) {
            throw new DataException(splits + ": has no problems in 'test'");
        }
        return test.stream()
                .map(id -> {
                    JsonRecord record = all.get(id);
                    if (record == null) {
                        throw new DataException(
                                "%s: has no problem %s, which %s names".formatted(problems, id, splits));
                    }
                    return new Problem(id, record);
                })
                .toList();
    }

    public static List<Judged> judge(List<Problem> problems, Map<QuestionId, Answer> answers) {
        List<Judged> judged = new ArrayList<>();
        for (Problem problem : problems) {
            @Nullable Answer answer = answers.get(QuestionId.of(problem.id()));
            String parsed = answer == null ? FAILED : parse(answer.text());
            int index = parsed.length() == 1 ? LETTERS.indexOf(parsed) : -1;
            judged.add(new Judged(
                    problem,
                    parsed,
                    index < problem.choices().size() ? index : -1,
                    answer != null && answer.prompt().contains(IMAGE)));
        }
        return judged;
    }

    /** The letter in an answer, or {@link #FAILED}; {@code A.} fails, being too short. */
    static String parse(String text) {
        if (text.length() == 1 && LETTERS.contains(text)) {
            return text;
        }
        if (text.length() >= 3 && LETTERS.indexOf(text.charAt(0)) >= 0 && text.startsWith(". ", 1)) {
            return text.substring(0, 1);
        }
        Matcher sentence = SENTENCE.matcher(text);
        if (!sentence.find()) {
            return FAILED;
        }
        String letter = sentence.group(1);
        return sentence.find() ? FAILED : letter;
    }
}
