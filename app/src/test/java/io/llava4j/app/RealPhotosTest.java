package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.checkpoint.CanonicalNames;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.EvalRunner;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.pope.CocoInstances;
import io.llava4j.eval.pope.PopeBuilder;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScorer;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.Request;
import io.llava4j.image.ImageDecoder;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Real photographs of any size and shape go the nano model's way: data, both stages, evaluation, an answer. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RealPhotosTest {
    private static final Path COCO = Path.of("../../shared/realdata/coco");
    private static final Path ROOT = Path.of("..");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    static Path dir;

    private static JsonNode captions = JSON.createObjectNode();
    private static JsonNode instances = JSON.createObjectNode();
    private static final List<Double> losses = new ArrayList<>();

    @BeforeAll
    static void buildData() throws IOException {
        assumeTrue(Files.isDirectory(COCO), "the photographs of ../shared/realdata/coco are missing");
        assumeTrue(Files.isDirectory(ROOT.resolve("models/nano-language")), "models/nano-language is missing");
        captions = JSON.readTree(COCO.resolve("captions_free.json").toFile());
        instances = JSON.readTree(COCO.resolve("instances_free.json").toFile());
        Map<Long, JsonNode> images = byId(captions.path("images"));
        ArrayNode stage1 = JSON.createArrayNode();
        for (JsonNode caption : captions.path("annotations")) {
            JsonNode image = images.get(caption.path("image_id").asLong());
            record(
                    stage1,
                    "caption " + caption.path("id").asLong(),
                    image.path("file_name").asString(),
                    "Describe the image concisely.\n<image>",
                    caption.path("caption").asString().strip());
        }
        assertThat(stage1).hasSizeGreaterThan(500);
        JSON.writeValue(dir.resolve("stage1.json").toFile(), stage1);

        Map<Long, String> names = new HashMap<>();
        instances
                .path("categories")
                .forEach(c -> names.put(c.path("id").asLong(), c.path("name").asString()));
        ArrayNode stage2 = JSON.createArrayNode();
        for (JsonNode annotation : instances.path("annotations")) {
            JsonNode image = images.get(annotation.path("image_id").asLong());
            if (image == null) {
                continue;
            }
            String name = names.get(annotation.path("category_id").asLong());
            JsonNode box = annotation.path("bbox");
            String text = Boxes.text(Boxes.onPaddedSquare(
                    image.path("width").asInt(),
                    image.path("height").asInt(),
                    box.path(0).asDouble(),
                    box.path(1).asDouble(),
                    box.path(2).asDouble(),
                    box.path(3).asDouble()));
            record(
                    stage2,
                    "box " + annotation.path("id").asLong(),
                    image.path("file_name").asString(),
                    "<image>\nPlease provide a short description for this region: " + text + ".",
                    name);
            record(
                    stage2,
                    "existence " + annotation.path("id").asLong(),
                    image.path("file_name").asString(),
                    "<image>\n" + Benchmark.POPE.render(PopeBuilder.question(name)),
                    "Yes");
        }
        assertThat(stage2).hasSizeGreaterThan(500);
        JSON.writeValue(dir.resolve("stage2.json").toFile(), stage2);
    }

    private static Map<Long, JsonNode> byId(JsonNode images) {
        Map<Long, JsonNode> byId = new HashMap<>();
        images.forEach(image -> byId.put(image.path("id").asLong(), image));
        return byId;
    }

    private static void record(ArrayNode into, String id, String image, String question, String answer) {
        ObjectNode record = into.addObject();
        record.put("id", id);
        record.put("image", image);
        ArrayNode turns = record.putArray("conversations");
        turns.addObject().put("from", "human").put("value", question);
        turns.addObject().put("from", "gpt").put("value", answer);
    }

    @Test
    @Order(1)
    void bothStagesTrainOnThem() {
        train("stage1.yaml", "stage1", Map.of());
        train(
                "stage2.yaml",
                "stage2",
                Map.of(
                        "model.projector",
                        dir.resolve("stage1/model").resolve(ModelFiles.PROJECTOR).toString()));
        assertThat(losses).hasSize(6).allMatch(loss -> Double.isFinite(loss) && loss > 0);
        assertThat(dir.resolve("stage1/skipped.jsonl")).doesNotExist();
        assertThat(dir.resolve("stage2/skipped.jsonl")).doesNotExist();
        try (Checkpoint tuned = Checkpoint.open(dir.resolve("stage2/model")).requireComplete();
                Checkpoint tower = Checkpoint.open(ROOT.resolve("models/nano-tower"));
                Checkpoint language = Checkpoint.open(ROOT.resolve("models/nano-language"));
                Checkpoint aligned = Checkpoint.open(dir.resolve("stage1/model").resolve(ModelFiles.PROJECTOR))) {
            for (String name : tower.tensors().keySet()) {
                assertThat(tuned.tensor(name).toFloats()).as(name).isEqualTo(tower.tensor(name).toFloats());
            }
            for (Checkpoint before : List.of(language, aligned)) {
                for (String name : before.tensors().keySet()) {
                    assertThat(tuned.tensor(name).toFloats())
                            .as(name)
                            .isNotEqualTo(before.tensor(name).toFloats());
                }
            }
            assertThat(tuned.tensors().keySet()).anyMatch(name -> name.startsWith(CanonicalNames.PROJECTOR));
        }
    }

    private static void train(String recipe, String output, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.put("output", dir.resolve(output).toString());
        values.put("model.vision-tower", ROOT.resolve("models/nano-tower").toString());
        values.put("model.language-model", ROOT.resolve("models/nano-language").toString());
        values.put("data.json", dir.resolve(output + ".json").toString());
        values.put("data.images", COCO.resolve("images").toString());
        values.put("schedule.max-steps", "3");
        values.put("batch.per-device", "4");
        TrainConfig config = new RecipeLoader().load(ROOT.resolve("recipes/nano").resolve(recipe), values, Map.of());
        TrainingListener listener = step -> losses.add(step.loss());
        assertThat(TrainingRun.run(config, false, listener, () -> false)).isTrue();
    }

    @Test
    @Order(2)
    void theTunedModelIsAskedAboutThem() {
        Path model = dir.resolve("stage2/model");
        assumeTrue(Files.isDirectory(model), "training failed");
        var splits = new PopeBuilder(3, 5, 1).build(CocoInstances.read(COCO.resolve("instances_free.json")));
        List<Question> questions = PopeFiles.write(dir.resolve("pope"), splits, Benchmark.POPE::render);
        assertThat(questions).hasSize(3 * 5 * 6);
        try (LlavaPipeline llava = LlavaPipeline.open(model)) {
            EvalRunner.Job job = new EvalRunner.Job(
                    questions, COCO.resolve("images"), dir.resolve("answers.jsonl"), GenerationOptions.greedy(8), 16, false);
            List<Answer> answers = new EvalRunner(llava, "photos", ImageDecoder::decode).run(job, (done, total) -> {});
            assertThat(answers).hasSize(questions.size());
            PopeScore score = PopeScorer.score(
                    questions,
                    PopeScorer.readLabels(dir.resolve("pope").resolve(PopeFiles.LABELS)),
                    answers,
                    PopeScorer.Matching.OFFICIAL);
            assertThat(score.meanAccuracy()).isBetween(0.0, 1.0);
            System.out.printf("POPE accuracy on COCO photographs after three nano steps: %.3f%n", score.meanAccuracy());

            String answer = llava.answer(
                            List.of(new Request(
                                    List.of(Turn.human("<image>\nWhat is in the picture?")),
                                    List.of(ImageDecoder.decode(COCO.resolve("images/000000000285.jpg"))))),
                            GenerationOptions.greedy(16))
                    .getFirst();
            System.out.println("answer about a photograph: " + answer);
            assertThat(answer).isNotEmpty();
        }
    }
}
