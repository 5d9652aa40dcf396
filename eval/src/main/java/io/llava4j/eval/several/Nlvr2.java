package io.llava4j.eval.several;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.QuestionSource;
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
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** NLVR2 (docs/reference/evaluation.md#nlvr2): a sentence about two images is true or false. */
public final class Nlvr2 {
    /** The examples; the folder of the images is searched by {@link Source}. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.ANNOTATIONS,
                    List.of(
                            "dev.json",
                            "test1.json",
                            "test2.json",
                            "data/dev.json",
                            "data/test1.json",
                            "data/test2.json",
                            "examples.json"),
                    FileRole.IMAGES,
                    List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("NLVR2"));

    private static final Set<String> LABELS = Set.of("True", "False");
    private static final Map<String, String> WORDS = Map.of("yes", "true", "no", "false");

    private Nlvr2() {}

    /** The examples as questions about two images. */
    public static final class Source implements QuestionSource {
        @Override
        public List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render) {
            return examples(files).values().stream()
                    .map(example -> new Question(
                            QuestionId.of(example.identifier()),
                            example.images(),
                            render.apply(example.sentence()),
                            "default",
                            null))
                    .toList();
        }

        /** The split's folder in {@code images} or beside the examples, or {@code images}, or the folder itself. */
        @Override
        public Path images(BenchmarkFiles files, Path work, Consumer<DataException> unusable) {
            String split = examples(files).values().iterator().next().split();
            Path folder = Objects.requireNonNull(files.folder());
            Path named = files.find(FileRole.IMAGES);
            Path images = named == null ? folder.resolve("images") : named;
            return List.of(images.resolve(split), folder.resolve(split), images).stream()
                    .filter(Files::isDirectory)
                    .findFirst()
                    .orElse(folder);
        }
    }

    private static Map<String, Nlvr2Example> examples(BenchmarkFiles files) {
        return Nlvr2Example.read(files.require(FileRole.ANNOTATIONS));
    }

    /** Accuracy and consistency, shares 0..1, and what the script for subsets gives, in percent. */
    public static Score score(ScoreInput input) {
        Map<String, Nlvr2Example> examples = examples(input.files());
        Nlvr2Predictions predictions = Nlvr2Predictions.read(input.answers());
        Map<String, Double> shares = new LinkedHashMap<>();
        Map<String, Boolean> sentences = new LinkedHashMap<>();
        UnknownLabels unknown = new UnknownLabels();
        int right = 0;
        int rightWords = 0;
        int decided = 0;
        for (Nlvr2Example example : examples.values()) {
            unknown.check(LABELS, example.label(), example.identifier());
            String said = PythonText.lower(predictions.byIdentifier().getOrDefault(example.identifier(), ""));
            String label = PythonText.lower(example.label());
            boolean hit = said.equals(label);
            shares.put(example.identifier(), hit ? 1.0 : 0.0);
            sentences.merge(example.group(), hit, Boolean::logicalAnd);
            right += hit ? 1 : 0;
            rightWords += WORDS.getOrDefault(said, said).equals(label) ? 1 : 0;
            decided += said.equals("true") || said.equals("false") ? 1 : 0;
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("accuracy", (double) right / examples.size());
        numbers.put(
                "consistency",
                (double) sentences.values().stream().filter(all -> all).count() / sentences.size());
        if (decided > 0) {
            numbers.put("filtered_accuracy_percent", 100.0 * right / decided);
        }
        numbers.put("accuracy, yes and no understood", (double) rightWords / examples.size());
        List<String> warnings = new ArrayList<>(Coverage.of(examples.keySet(), predictions.identifiers(), 0)
                .warnings("count as wrong; the official script gives no score"));
        warnings.addAll(unknown.warnings("True or False", "no prediction can be right there"));
        return new Score("accuracy", numbers, shares, examples.size(), warnings, null);
    }

    /** Number of different sentences. */
    public static int sentences(BenchmarkFiles files) {
        return (int) examples(files).values().stream()
                .map(Nlvr2Example::group)
                .distinct()
                .count();
    }

    /** Writes the official CSV, in the order of the examples. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        Nlvr2Predictions predictions = Nlvr2Predictions.read(answers);
        StringBuilder csv = new StringBuilder();
        examples(files)
                .keySet()
                .forEach(identifier -> csv.append(identifier)
                        .append(',')
                        .append(predictions
                                .byIdentifier()
                                .getOrDefault(identifier, "")
                                .replaceAll("[\\r\\n,]", " "))
                        .append('\n'));
        AtomicFiles.write(target, csv.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** The labels by identifier. */
    public static GroundTruth groundTruth(BenchmarkFiles files) {
        Map<String, String> truths = new HashMap<>();
        examples(files).forEach((identifier, example) -> truths.put(identifier, example.label()));
        return GroundTruth.of(truths);
    }
}
