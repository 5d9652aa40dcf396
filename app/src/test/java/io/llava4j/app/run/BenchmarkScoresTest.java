package io.llava4j.app.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.app.cli.TinyModel;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.Evaluation;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.eval.run.Judge;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.DryRun;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.TrainingRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code evaluation.tasks}: a run that learns to say no is scored on POPE, whose labels say yes in two of three cases. */
class BenchmarkScoresTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final TrainingListener NOBODY = step -> {};
    private static final String FORMAT = "\\nAnswer the question using a single word or phrase.";

    @TempDir
    private static Path dir;

    @BeforeAll
    static void make() throws IOException {
        TinyModel.write(dir);
        Path images = Files.createDirectories(dir.resolve("benchmarks/pope/images"));
        ImageIO.write(
                new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB),
                "png",
                images.resolve("a.png").toFile());
        Files.createDirectories(images.resolveSibling("coco"));
        StringBuilder questions = new StringBuilder();
        List<String> records = new ArrayList<>();
        for (String split : List.of("adversarial", "popular", "random")) {
            StringBuilder labels = new StringBuilder();
            for (String thing : List.of("cat", "dog", "cow")) {
                String text = "Is there a %s in the image?".formatted(thing);
                labels.append("{\"label\": \"%s\", \"image\": \"a.png\", \"text\": \"%s\"}\n"
                        .formatted(thing.equals("cow") ? "no" : "yes", text));
                questions.append(
                        "{\"question_id\": %d, \"image\": \"a.png\", \"text\": \"%s%s\", \"category\": \"%s\"}\n"
                                .formatted(records.size() + 1, text, FORMAT, split));
                records.add(
                        "{\"id\": \"%d\", \"image\": \"a.png\", \"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\n%s%s\"}, {\"from\": \"gpt\", \"value\": \"no\"}]}"
                                .formatted(records.size(), text, FORMAT));
            }
            Files.writeString(images.resolveSibling("coco/coco_pope_" + split + ".json"), labels);
        }
        Files.writeString(images.resolveSibling("llava_pope_test.jsonl"), questions);
        Files.writeString(dir.resolve("data.json"), records.toString());
        // Files of GQA, but of its images only damage.
        Path gqa = Files.createDirectories(dir.resolve("benchmarks/gqa/images"));
        Files.writeString(gqa.resolve("g.jpg"), "no image");
        Files.writeString(
                gqa.resolveSibling("testdev_balanced_questions.json"),
                "{\"1\": {\"question\": \"What is it?\", \"imageId\": \"g\", \"answer\": \"cat\", \"isBalanced\": true, \"types\": {\"structural\": \"query\", \"semantic\": \"obj\", \"detailed\": \"x\"}, \"groups\": {}, \"semanticStr\": \"\", \"semantic\": [], \"entailed\": [], \"equivalent\": [\"1\"]}}");
    }

    @Test
    void theScoreIsThatOfTheEvaluationOfTheTrainedModel() throws IOException {
        TrainConfig config = recipe("scored", Map.of());
        List<String> warnings = new ArrayList<>();
        assertThat(TrainingRun.run(
                        config,
                        known -> Objectives.create(known, BenchmarkScores.of(known, warnings::add)),
                        false,
                        NOBODY,
                        () -> false))
                .isTrue();
        Map<Integer, Double> scores = scores(config);
        assertThat(scores).containsOnlyKeys(0, 8, 16);
        assertThat(scores.get(0)).isNotEqualTo(scores.get(16));
        assertThat(scores.get(16))
                .isCloseTo(evaluated(config.output().resolve("model")), within(0.0))
                .isZero();

        TrainConfig without = recipe("unscored", Map.of("evaluation.tasks", "[]"));
        assertThat(run(without, false, -1)).isTrue();
        assertThat(losses(without)).isEqualTo(losses(config));
        assertThat(weights(without)).isNotEmpty().isEqualTo(weights(config));
        assertThat(events(config)).contains("evaluation/pope");
        assertThat(events(without)).contains("evaluation/loss").doesNotContain("evaluation/pope");
    }

    @Test
    void aResumedRunHasTheScoresOfAnUnbrokenOne() throws IOException {
        Map<String, String> byScore = Map.of("evaluation.best-by", "pope", "evaluation.keep-best", "true");
        TrainConfig whole = recipe("whole", byScore);
        TrainConfig broken = recipe("broken", byScore);
        assertThat(run(whole, false, -1)).isTrue();
        assertThat(run(broken, false, 5)).isFalse();
        Path labels = dir.resolve("benchmarks/pope/coco/coco_pope_random.json");
        String before = Files.readString(labels);
        Files.writeString(labels, before.replace("\"no\"", "\"yes\""));
        assertThatThrownBy(() -> run(broken, true, -1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("files of the benchmark pope");
        Files.writeString(labels, before);
        assertThat(run(broken, true, -1)).isTrue();
        assertThat(scores(broken)).isEqualTo(scores(whole));
        Map<Integer, Double> after = scores(whole);
        after.remove(0);
        JsonNode result = JSON.readTree(whole.output().resolve("result.json").toFile());
        assertThat(result.path("best_evaluation_scores").path("pope").asDouble(-1))
                .isEqualTo(Collections.max(after.values()));
        assertThat(whole.output()
                        .resolve("best/step-%06d"
                                .formatted(result.path("best_step").asInt())))
                .exists();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "evaluation.tasks|[popo]|evaluation.tasks: no benchmark is called 'popo'",
                "evaluation.tasks|[mm_vet]|mm_vet is scored by a judge",
                "evaluation.tasks|[pope, mme]|has no folder 'mme'",
                "evaluation.tasks|[gqa]|g.jpg",
                "evaluation.tasks|[pope, pope]|evaluation.tasks names 'pope' twice",
                "evaluation.best-by|gqa|evaluation.best-by must be loss or a benchmark of tasks, not 'gqa'",
                "evaluation.task-data||evaluation.task-data is missing",
                "evaluation.task-limit|0|evaluation.task-limit must be at least 1",
                "data.template|plain|evaluation.tasks asks questions but data.template plain reads none"
            })
    void whatCannotBeScoredIsRefusedBeforeTheFirstStep(String key, String value, String message) {
        Path output = dir.resolve("refused");
        assertThatThrownBy(() -> run(recipe("refused", Map.of(key, value == null ? "null" : value)), false, -1))
                .isInstanceOfAny(ConfigException.class, DataException.class)
                .hasMessageContaining(message);
        assertThat(output).doesNotExist();
    }

    /** Found by scoring empty answers, so that it holds for the files of every benchmark. */
    @Test
    void missingGroundTruthIsRefusedBeforeTheFirstStep() throws IOException {
        Path labels = dir.resolve("benchmarks/pope/coco");
        Path away = Files.move(labels, dir.resolve("coco"));
        assertThatThrownBy(() -> run(recipe("unlabelled", Map.of()), false, -1))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("evaluation.tasks: ");
        Files.move(away, labels);
    }

    @Test
    void aDryRunSaysWhatWillBeAsked() {
        List<String> notes = new ArrayList<>();
        DryRun.run(
                recipe("dry", Map.of("evaluation.task-limit", "6")),
                known -> Objectives.create(known, BenchmarkScores.of(known, notes::add)),
                notes::add);
        assertThat(notes)
                .anySatisfy(note -> assertThat(note)
                        .startsWith("evaluation.tasks: each evaluation asks 6 questions of POPE, in ")
                        .endsWith("pope"));
    }

    /** Without somebody who knows benchmarks, the key is no empty promise. */
    @Test
    void trainingAloneRefusesTheKey() {
        assertThatThrownBy(() -> Objectives.create(recipe("alone", Map.of())))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("evaluation.tasks is set, but only llava train");
    }

    private static TrainConfig recipe(String output, Map<String, String> more) {
        String yaml = """
                stage: finetune
                output: %s
                threads: 2
                model: {base: %s}
                data: {json: %s, images: %s, max-length: 250, workers: 1}
                trainable: {projector: true, language-model: true}
                optimizer: {learning-rate: 0.03, max-grad-norm: 1.0}
                schedule: {max-steps: 16}
                batch: {per-device: 3, accumulation: 1}
                evaluation: {data: %s, every-steps: 8, tasks: [pope], task-data: %s}
                """.formatted(
                        dir.resolve(output),
                        dir.resolve("model"),
                        dir.resolve("data.json"),
                        dir.resolve("benchmarks/pope/images"),
                        dir.resolve("data.json"),
                        dir.resolve("benchmarks"));
        Map<String, String> overrides = new TreeMap<>(more);
        if ("[]".equals(more.get("evaluation.tasks"))) {
            overrides.put("evaluation.task-data", "null");
        }
        try {
            return new RecipeLoader().load(Files.writeString(dir.resolve(output + ".yaml"), yaml), overrides, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean run(TrainConfig config, boolean resume, int stopAt) {
        int[] last = {0};
        return TrainingRun.run(
                config,
                known -> Objectives.create(known, BenchmarkScores.of(known, warning -> {})),
                resume,
                step -> last[0] = step.step(),
                () -> last[0] == stopAt);
    }

    private static double evaluated(Path model) {
        EvaluationPlan plan = new EvaluationPlan(
                List.of(Benchmarks.POPE), dir.resolve("benchmarks"), dir.resolve("evaluated"), 0, 4, false);
        try (LlavaPipeline pipeline = LlavaPipeline.open(model)) {
            return new Evaluation(
                            plan,
                            new EvalRunner(pipeline, "trained", ImageDecoder::decode),
                            "trained",
                            Judge.local(),
                            new Evaluation.Observer() {
                                @Override
                                public void answered(Benchmark task, long done, long total) {}

                                @Override
                                public void note(String sentence) {}
                            })
                    .run()
                    .tasks()
                    .getFirst()
                    .value();
        }
    }

    private static Map<Integer, Double> scores(TrainConfig config) throws IOException {
        Map<Integer, Double> scores = new TreeMap<>();
        for (JsonNode line : metrics(config)) {
            if (line.has("evaluation_scores")) {
                scores.put(
                        line.path("step").asInt(),
                        line.path("evaluation_scores").path("pope").asDouble());
            }
        }
        return scores;
    }

    private static List<Double> losses(TrainConfig config) throws IOException {
        return metrics(config).stream()
                .filter(line -> line.has("loss"))
                .map(line -> line.path("loss").asDouble())
                .toList();
    }

    private static List<JsonNode> metrics(TrainConfig config) throws IOException {
        return Files.readAllLines(config.output().resolve("metrics.jsonl")).stream()
                .map(JSON::readTree)
                .toList();
    }

    private static String events(TrainConfig config) throws IOException {
        try (Stream<Path> files = Files.list(config.output().resolve("tb"))) {
            return Files.readString(files.findFirst().orElseThrow(), StandardCharsets.ISO_8859_1);
        }
    }

    private static List<String> weights(TrainConfig config) throws IOException {
        try (Stream<Path> files = Files.list(config.output().resolve("model"))) {
            List<String> weights = new ArrayList<>();
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList()) {
                weights.add(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
            return weights;
        }
    }
}
