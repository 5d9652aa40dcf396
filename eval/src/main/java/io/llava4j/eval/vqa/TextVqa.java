package io.llava4j.eval.vqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * TextVQA with M4C's evaluator (docs/reference/evaluation.md#textvqa). LLaVA's question id is the image's, so answers
 * are matched by image and by the question cut back out of the prompt.
 */
public final class TextVqa {
    /** LLaVA's question file, the official annotations, and the words that Rosetta read in the images. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava_textvqa_*.jsonl"),
                    FileRole.ANNOTATIONS, List.of("TextVQA_[0-9]*.json"),
                    FileRole.OCR, List.of("TextVQA_Rosetta_OCR*.json"),
                    FileRole.IMAGES, List.of("train_images", "images")),
            List.of(FileRole.ANNOTATIONS));

    private static final String OCR = "Reference OCR token: ";
    private static final Pattern LEGACY = Pattern.compile("Question: (.*?) Short answer:", Pattern.DOTALL);
    private static final int HUMAN_ANSWERS = 10;

    private TextVqa() {}

    /** What the annotations are keyed with. */
    public record Asked(String image, String question) {
        @Override
        public String toString() {
            return image + ": " + question;
        }
    }

    /** An annotated question. */
    public record Annotation(Asked asked, QuestionId id, List<VqaAnnotation.HumanAnswer> answers) {}

    /** An answer with its score, 0..1. */
    public record Scored(Annotation annotation, Answer answer, String processed, double value) {}

    /** Official questions as LLaVA asks them, with the words read in the image. */
    public static List<Question> official(BenchmarkFiles files, UnaryOperator<String> render) {
        Map<String, List<String>> words = new HashMap<>();
        JsonFiles.arrays(files.require(FileRole.OCR), (field, entry) -> {
            if (field.equals("data")) {
                words.put(entry.text("image_id"), entry.texts("ocr_tokens"));
            }
        });
        List<Question> questions = new ArrayList<>();
        JsonFiles.arrays(files.require(FileRole.ANNOTATIONS), (field, entry) -> {
            if (field.equals("data")) {
                String image = entry.text("image_id");
                questions.add(new Question(
                        QuestionId.of(image),
                        image + ".jpg",
                        render.apply(entry.text("question") + "\n" + OCR
                                + String.join(", ", words.getOrDefault(image, List.of()))),
                        "default"));
            }
        });
        return questions;
    }

    /** Images have several questions, whose ids LLaVA's files do not keep. */
    public static String name(Question question) {
        return new Asked(question.id().value(), PythonText.lower(questionOf(question.text()))).toString();
    }

    /** Mean over the answers, in percent. */
    public static Score score(ScoreInput input) {
        Map<Asked, Annotation> annotations = annotations(input.files().require(FileRole.ANNOTATIONS));
        List<Answer> answers = AnswerFile.readSome(input.answers());
        List<Scored> scored = score(annotations, answers);
        Coverage coverage = Coverage.of(
                annotations.keySet(),
                scored.stream().map(s -> s.annotation().asked()).toList(),
                0);
        Map<String, Double> perQuestion = new LinkedHashMap<>();
        scored.forEach(s -> perQuestion.put(s.annotation().asked().toString(), s.value()));
        double strict = annotations.values().stream()
                        .mapToDouble(a -> perQuestion.getOrDefault(a.asked().toString(), 0.0))
                        .sum()
                / annotations.size();
        return new Score(
                "accuracy",
                Map.of("accuracy", 100 * mean(scored)),
                perQuestion,
                scored.size(),
                coverage.warnings("are left out of the mean"),
                input.strict()
                        ? new Score.Strict(
                                "the mean is taken over the annotated questions: an unanswered one is wrong, and of several answers to one the last counts",
                                Map.of("accuracy", 100 * strict))
                        : null);
    }

    public static double mean(List<Scored> scored) {
        double sum = 0;
        for (Scored s : scored) {
            sum += s.value();
        }
        return sum / scored.size();
    }

    /** @throws DataException for an answer whose prompt or question is not known, as the official code does */
    public static List<Scored> score(Map<Asked, Annotation> annotations, List<Answer> answers) {
        List<Scored> scored = new ArrayList<>();
        for (Answer answer : answers) {
            Asked asked = new Asked(answer.id().value(), PythonText.lower(questionOf(answer.prompt())));
            Annotation annotation = annotations.get(asked);
            if (annotation == null) {
                throw new DataException(
                        "no annotation for image %s and question '%s'; do answers and annotations belong together?"
                                .formatted(asked.image(), asked.question()));
            }
            if (annotation.answers().size() != HUMAN_ANSWERS) {
                throw new DataException("question %s has %d human answers; the official code accepts exactly %d"
                        .formatted(annotation.id(), annotation.answers().size(), HUMAN_ANSWERS));
            }
            scored.add(new Scored(
                    annotation,
                    answer,
                    M4cNormaliser.normalise(answer.text()),
                    VqaAccuracy.Rule.M4C.accuracy(annotation.answers(), answer.text())));
        }
        return scored;
    }

    /** Of annotations of one image with the same question the last stays, as in Python's {@code dict}. */
    public static Map<Asked, Annotation> annotations(Path file) {
        Map<Asked, Annotation> annotations = new LinkedHashMap<>();
        JsonFiles.arrays(file, (field, entry) -> {
            if (field.equals("data")) {
                Asked asked = new Asked(entry.id("image_id").value(), PythonText.lower(entry.text("question")));
                annotations.put(
                        asked,
                        new Annotation(
                                asked,
                                entry.id("question_id"),
                                entry.texts("answers").stream()
                                        .map(text -> new VqaAnnotation.HumanAnswer(text, null, null))
                                        .toList()));
            }
        });
        if (annotations.isEmpty()) {
            throw new DataException(file + ": holds no 'data'; is it the right file?");
        }
        return annotations;
    }

    /**
     * The question in a prompt.
     *
     * @throws DataException for a prompt of no known form
     */
    static String questionOf(String prompt) {
        if (prompt.startsWith("OCR tokens: ")) {
            Matcher legacy = LEGACY.matcher(prompt);
            if (legacy.find()) {
                return legacy.group(1);
            }
        }
        String[] lines = prompt.split("\n", -1);
        if (lines.length == 3 && prompt.contains(OCR)) {
            return lines[prompt.startsWith(OCR.strip()) ? 1 : 0];
        }
        if (lines.length == 2 && !prompt.startsWith("OCR tokens: ")) {
            return lines[0];
        }
        throw new DataException(
                "the prompt '%s' has none of the forms from which TextVQA's question can be cut".formatted(prompt));
    }
}
