package io.llava4j.eval.mme;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.UnknownLabels;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** MME (docs/reference/evaluation.md#mme). */
public final class Mme {
    /** LLaVA's question file and MME's release folder. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava_mme.jsonl"),
                    FileRole.ANNOTATIONS, List.of("MME_Benchmark_release_version"),
                    FileRole.IMAGES, List.of("MME_Benchmark_release_version")),
            List.of(FileRole.ANNOTATIONS),
            List.of("MME"));

    private static final String YES_OR_NO = " Please answer yes or no.";
    private static final String SHORT = "Answer the question using a single word or phrase.";

    private static final Set<String> TRUTHS = Set.of("yes", "no");

    private Mme() {}

    /** The release folder's questions as LLaVA asks them: MME's own request is replaced by the short-answer line. */
    public static List<Question> official(Path folder, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        MmeKeys.read(folder).answers().keySet().forEach(asked -> {
            String image = MmeKeys.image(folder, asked);
            if (image == null) {
                throw new DataException("%s: no image for %s/%s".formatted(folder, asked.category(), asked.file()));
            }
            questions.add(new Question(
                    QuestionId.of(image),
                    image,
                    render.apply(PythonText.strip(asked.question().replace(YES_OR_NO, ""))),
                    asked.category()));
        });
        return questions;
    }

    /** Images have two questions, and result files do not keep their paths. */
    public static String name(Question question) {
        String id = question.id().value();
        return name(category(id), file(id), question.text().replace(SHORT, ""));
    }

    private static String name(String category, String file, String question) {
        return "%s/%s: %s".formatted(category, file, PythonText.strip(question.replace(YES_OR_NO, "")));
    }

    /** The right answers by {@link #name}; empty for a folder without MME's key files. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        Map<String, String> answers = new HashMap<>();
        Path keys = files.find(FileRole.ANNOTATIONS);
        if (keys != null) {
            MmeKeys.read(keys)
                    .answers()
                    .forEach((asked, truth) ->
                            answers.put(name(asked.category(), asked.file(), asked.question()), truth));
        }
        return GroundTruth.of(answers);
    }

    private static String category(String id) {
        return id.split("/", 2)[0];
    }

    /** Name of the key file that belongs to an image. */
    private static String file(String id) {
        return id.substring(id.lastIndexOf('/') + 1).split("\\.", 2)[0] + ".txt";
    }

    /**
     * Scores LLaVA's answers, or a folder of MME's result files {@code <category>.txt}. The headline is perception's sum,
     * at most 2000.
     */
    public static Score score(ScoreInput input) {
        List<String> warnings = new ArrayList<>();
        Map<String, String> files = new LinkedHashMap<>();
        if (Files.isDirectory(input.answers())) {
            for (Path file : BenchmarkFiles.matches(input.answers(), "*.txt")) {
                String name = file.getFileName().toString();
                String category = name.substring(0, name.length() - 4);
                if (MmeKeys.categories().contains(category)) {
                    files.put(category, String.join("\n", MmeKeys.lines(file)) + "\n");
                }
            }
        } else {
            MmeKeys keys = MmeKeys.read(input.files().require(FileRole.ANNOTATIONS));
            List<Answer> answers = AnswerFile.readSome(input.answers());
            files.putAll(converted(keys, answers));
            warnings.addAll(Coverage.of(
                            keys.answers().keySet(),
                            answers.stream().map(a -> asked(keys, a)).toList(),
                            0)
                    .warnings("are left out"));
        }
        Map<String, List<MmeScore.Line>> lines = new HashMap<>();
        files.forEach((category, text) -> lines.put(category, MmeScore.parse(category, text)));
        MmeScore score = MmeScore.of(lines);
        warnings.addAll(unknown(score, lines.keySet()));
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("perception", score.total(MmeKeys.PERCEPTION));
        numbers.put("cognition", score.total(MmeKeys.COGNITION));
        Map<String, Double> shares = new LinkedHashMap<>();
        score.tasks().forEach((category, task) -> {
            numbers.put(category, task.score());
            task.lines()
                    .forEach(
                            line -> shares.put(name(category, line.file(), line.question()), line.right() ? 1.0 : 0.0));
        });
        return new Score("perception", numbers, shares, shares.size(), warnings, input.strict() ? strict(score) : null);
    }

    private static List<String> unknown(MmeScore score, Set<String> categories) {
        UnknownLabels unknown = new UnknownLabels();
        score.tasks()
                .forEach((category, task) -> task.lines()
                        .forEach(line -> unknown.check(
                                TRUTHS, PythonText.lower(line.truth()), name(category, line.file(), line.question()))));
        List<String> warnings = new ArrayList<>(unknown.warnings("Yes or No", "the official code stops there"));
        List<String> others = categories.stream()
                .filter(category -> !MmeKeys.categories().contains(category))
                .sorted()
                .toList();
        if (!others.isEmpty()) {
            warnings.add("the categories %s are not MME's and do not count".formatted(others));
        }
        return warnings;
    }

    /** Pairs by image instead of by line, and the first word decides. */
    private static Score.Strict strict(MmeScore score) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("perception", 0.0);
        numbers.put("cognition", 0.0);
        score.tasks().forEach((category, task) -> {
            Means all = new Means();
            Map<String, Boolean> images = new LinkedHashMap<>();
            for (MmeScore.Line line : task.lines()) {
                boolean right = firstWord(line.answer()).equals(PythonText.lower(line.truth()));
                all.add("", right ? 1 : 0);
                images.merge(line.file(), right, Boolean::logicalAnd);
            }
            Means both = new Means();
            images.values().forEach(right -> both.add("", right ? 1 : 0));
            double value = all.mean("") * 100 + both.mean("") * 100;
            numbers.merge(MmeKeys.PERCEPTION.contains(category) ? "perception" : "cognition", value, Double::sum);
            numbers.put(category, value);
        });
        return new Score.Strict("the first word decides, and pairs are found by image, not by line", numbers);
    }

    private static String firstWord(String answer) {
        List<String> words = PythonText.split(PythonText.lower(answer).replaceAll("[.,!:;*]", " "));
        String word = words.isEmpty() ? "" : words.getFirst();
        return word.equals("y") ? "yes" : word.equals("n") ? "no" : word;
    }

    /** Writes MME's result files into a folder. */
    public static void submit(BenchmarkFiles files, Path answers, Path folder) {
        converted(MmeKeys.read(files.require(FileRole.ANNOTATIONS)), AnswerFile.read(answers))
                .forEach((category, text) ->
                        AtomicFiles.write(folder.resolve(category + ".txt"), text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * LLaVA's conversion to MME's result files, in the order of the answers.
     *
     * @return content by category
     * @throws DataException for an answer to an unknown question
     */
    public static Map<String, String> converted(MmeKeys keys, List<Answer> answers) {
        Map<String, StringBuilder> files = new LinkedHashMap<>();
        for (Answer answer : answers) {
            MmeKeys.Asked asked = asked(keys, answer);
            String truth = keys.answers().get(asked);
            if (truth == null) {
                throw new DataException("MME does not ask '%s' about %s; do answers and questions belong together?"
                        .formatted(asked.question(), answer.id()));
            }
            files.computeIfAbsent(asked.category(), c -> new StringBuilder())
                    .append(String.join("\t", asked.file(), asked.question(), truth, answer.text()))
                    .append('\n');
        }
        Map<String, String> texts = new LinkedHashMap<>();
        files.forEach((category, text) -> texts.put(category, text.toString()));
        return texts;
    }

    private static MmeKeys.Asked asked(MmeKeys keys, Answer answer) {
        String category = category(answer.id().value());
        String file = file(answer.id().value());
        String prompt = answer.prompt();
        if (prompt.contains(SHORT)) {
            prompt = PythonText.strip(prompt.replace(SHORT, ""));
        }
        if (prompt.contains(YES_OR_NO.strip())) {
            return new MmeKeys.Asked(category, file, prompt);
        }
        MmeKeys.Asked asked = new MmeKeys.Asked(category, file, prompt + YES_OR_NO);
        return keys.answers().containsKey(asked) ? asked : new MmeKeys.Asked(category, file, prompt + " " + YES_OR_NO);
    }
}
