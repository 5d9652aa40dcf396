package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/** LLaVA-Bench in the wild (docs/reference/evaluation.md#llava-bench): a judge gives points to GPT-4's answer and to the model's. */
public final class LlavaBench {
    /** Questions, captions, GPT-4's answers and the judge's rules. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("questions.jsonl"),
                    FileRole.CONTEXT, List.of("context.jsonl"),
                    FileRole.REFERENCE_ANSWERS, List.of("answers_gpt4.jsonl"),
                    FileRole.RULES, List.of("rule.json"),
                    FileRole.IMAGES, List.of("images")),
            List.of(FileRole.QUESTIONS, FileRole.CONTEXT),
            List.of("llava-bench-in-the-wild"));

    private static final String JUDGE = "gpt-4-0314";
    private static final String SYSTEM =
            "You are a helpful and precise assistant for checking the quality of the answer.";
    private static final String PREFIX = "llava_bench_";

    private LlavaBench() {}

    /** One thing to be judged: the request, and the review but for what the judge says. */
    public record Item(JudgeRequest request, int number, Question question, Answer reference, Answer answer) {
        /** The review that a reply makes. */
        public Review review(String reply) {
            return new Review(
                    number,
                    question.id(),
                    idOf(reference),
                    answer.answerId(),
                    PREFIX + question.category(),
                    reply,
                    Review.parse(reply));
        }

        private static Object idOf(Answer answer) {
            return answer.answerId().isEmpty() ? answer.id() : answer.answerId();
        }
    }

    /**
     * What a judge is asked, in the order of the question file; the three files are joined by position, as the official
     * code does.
     *
     * @throws DataException for an image without context or a category without rule
     */
    public static List<Item> items(BenchmarkFiles files, Path answers) {
        List<Question> questions = QuestionFile.read(files.require(FileRole.QUESTIONS));
        List<Answer> references = AnswerFile.read(files.require(FileRole.REFERENCE_ANSWERS));
        List<Answer> given = AnswerFile.readSome(answers);
        Map<String, String> captions = captions(files.require(FileRole.CONTEXT));
        Path ruleFile = files.require(FileRole.RULES);
        JsonNode rules = JsonFiles.tree(ruleFile);
        List<Item> items = new ArrayList<>();
        int count = Math.min(questions.size(), Math.min(references.size(), given.size()));
        for (int i = 0; i < count; i++) {
            Question question = questions.get(i);
            JsonNode node = rules.get(PREFIX + question.category());
            String caption = captions.get(String.valueOf(question.image()));
            if (node == null || caption == null) {
                throw new DataException(
                        node == null
                                ? "%s: has no rule %s%s".formatted(ruleFile, PREFIX, question.category())
                                : "question %s: the context file has no image %s"
                                        .formatted(question.id(), question.image()));
            }
            JsonRecord rule = new JsonRecord(node, ruleFile.toString());
            String role = rule.text("role");
            String content = "[Context]\n%s\n\n[Question]\n%s\n\n".formatted(caption, question.text())
                    + said(role, 1, references.get(i))
                    + said(role, 2, given.get(i))
                    + "[System]\n%s\n\n".formatted(rule.text("prompt"));
            JudgeRequest request = new JudgeRequest(
                    String.valueOf(i + 1),
                    JUDGE,
                    List.of(new JudgeRequest.Message("system", SYSTEM), new JudgeRequest.Message("user", content)),
                    0.2,
                    1024);
            items.add(new Item(request, i + 1, question, references.get(i), given.get(i)));
        }
        return items;
    }

    private static String said(String role, int number, Answer answer) {
        return "[%s %d]\n%s\n\n[End of %s %d]\n\n".formatted(role, number, answer.text(), role, number);
    }

    private static Map<String, String> captions(Path file) {
        Map<String, String> captions = new HashMap<>();
        JsonFiles.lines(
                file,
                BrokenLines.REFUSE,
                line -> captions.put(
                        line.text("image"),
                        line.node().path("caption").isArray()
                                ? String.join("\n", line.texts("caption"))
                                : line.text("caption")));
        return captions;
    }

    /**
     * Has everything judged that is not reviewed yet.
     *
     * @param reviewed reviews of an earlier run; the first of the items are taken as done
     * @param judge answers a request
     */
    public static List<Review> review(List<Item> items, List<Review> reviewed, Function<JudgeRequest, String> judge) {
        List<Review> reviews = new ArrayList<>(reviewed);
        for (Item item : items.subList(Math.min(reviewed.size(), items.size()), items.size())) {
            reviews.add(item.review(judge.apply(item.request())));
        }
        return reviews;
    }

    /** Asks for a review of every answer. */
    public static void ask(BenchmarkFiles files, Path answers, Function<JudgeRequest, String> judge) {
        review(items(files, answers), List.of(), judge);
    }

    /**
     * Scores a review file, a folder of several (their mean is published), or answers with a judge's replies.
     *
     * @throws DataException where answers come without replies
     */
    public static Score score(ScoreInput input) {
        List<List<Review>> runs = new ArrayList<>();
        if (Files.isDirectory(input.answers())) {
            for (Path file : BenchmarkFiles.matches(input.answers(), "*.jsonl")) {
                runs.add(Review.read(file));
            }
        } else if (Review.isReviewFile(input.answers())) {
            runs.add(Review.read(input.answers()));
        } else if (input.replies() != null) {
            runs.add(review(items(input.files(), input.answers()), List.of(), JudgeReplies.read(input.replies())));
        }
        if (runs.isEmpty()) {
            throw new DataException(
                    input.answers() + ": holds no reviews; answers need a judge's replies beside them (--replies)");
        }
        List<String> warnings = new ArrayList<>();
        Means numbers = new Means();
        Means strict = new Means();
        Map<String, Means> points = new LinkedHashMap<>();
        for (List<Review> run : runs) {
            summary(run).forEach((category, line) -> {
                numbers.add(category, line.relative());
                numbers.add(category + "/gpt4_x10", line.reference());
                numbers.add(category + "/model_x10", line.model());
            });
            List<Review> readable = run.stream().filter(r -> !r.failed()).toList();
            summary(readable).forEach((category, line) -> strict.add(category, line.exact()));
            if (readable.size() < run.size()) {
                warnings.add("%d replies have no two numbers in their first line; they count as -1 and -1"
                        .formatted(run.size() - readable.size()));
            }
            for (Review review : run) {
                points.computeIfAbsent(review.questionId().toString(), id -> new Means())
                        .add("", review.model());
            }
        }
        Map<String, Double> perQuestion = new LinkedHashMap<>();
        points.forEach((id, means) -> perQuestion.put(id, means.mean("")));
        return new Score(
                "all",
                numbers.means(),
                perQuestion,
                points.size(),
                warnings,
                input.strict()
                        ? new Score.Strict(
                                "replies that cannot be read are left out, and means are not rounded", strict.means())
                        : null);
    }

    /**
     * A line of the summary, times 10 but for the ratio.
     *
     * @param relative 100 times model by reference, of means rounded to three places
     * @param exact the same of means that are not rounded
     */
    public record Line(double relative, double reference, double model, double exact) {}

    /** Lines by category, sorted, {@code all} first. */
    public static Map<String, Line> summary(List<Review> reviews) {
        Means reference = new Means();
        Means model = new Means();
        for (Review review : reviews) {
            for (String key : review.category() == null ? List.of("all") : List.of(review.category(), "all")) {
                reference.add(key, review.reference());
                model.add(key, review.model());
            }
        }
        Map<String, Line> lines = new LinkedHashMap<>();
        reference.means().keySet().stream().sorted().forEach(key -> {
            double first = PythonText.round(reference.mean(key), 3);
            double second = PythonText.round(model.mean(key), 3);
            lines.put(
                    key,
                    new Line(
                            PythonText.round(second / first * 100, 1),
                            PythonText.round(first * 10, 1),
                            PythonText.round(second * 10, 1),
                            model.mean(key) / reference.mean(key) * 100));
        });
        return lines;
    }
}
