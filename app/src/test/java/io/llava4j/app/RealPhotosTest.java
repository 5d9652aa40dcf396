package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.pope.CocoInstances;
import io.llava4j.eval.pope.ImageObjects;
import io.llava4j.eval.pope.PopeBuilder;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScorer;
import io.llava4j.eval.pope.PopeSplit;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.RgbImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Box;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.check.DataCheck;
import io.llava4j.train.data.check.ImageViews;
import io.llava4j.train.data.format.ImageFolder;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Real photographs of any size and shape go the nano model's way: data, both stages, evaluation, an answer. */
class RealPhotosTest {
    private static final Path COCO = Path.of("../../shared/realdata/coco");
    private static final Path IMAGES = COCO.resolve("images");
    private static final Path INSTANCES = COCO.resolve("instances_free.json");
    private static final Path TOWER = Path.of("../models/nano-tower");
    private static final Path LANGUAGE = Path.of("../models/nano-language");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int STEPS = 3;
    /** Every n-th photograph is kept for the questions, and not trained on. */
    private static final int HELD_OUT = 4;

    @TempDir
    private static Path dir;

    /** A photograph's part of COCO's files. */
    private record Photo(String file, int width, int height, List<String> captions, List<Region> regions) {}

    private record Region(String category, double x, double y, double width, double height) {}

    /** What a run reported: which weights are trained, and the loss of each step. */
    private static final class LossRecorder implements TrainingListener {
        private final Set<String> learning = new HashSet<>();
        private final List<Double> losses = new ArrayList<>();

        @Override
        public void gradients(TrainableParameters parameters) {
            learning.addAll(parameters.views().keySet());
        }

        @Override
        public void step(Step step) {
            losses.add(step.loss());
        }
    }

    private static List<Photo> photos = List.of();

    @BeforeAll
    static void readCoco() {
        assumeTrue(Files.isDirectory(COCO), "the photographs of shared/realdata/coco are not beside the checkout");
        JsonNode captions = JSON.readTree(COCO.resolve("captions_free.json"));
        JsonNode instances = JSON.readTree(INSTANCES);
        Map<Long, String> categories = new HashMap<>();
        for (JsonNode category : instances.path("categories")) {
            categories.put(category.path("id").asLong(), category.path("name").asString());
        }
        Map<Long, Photo> byId = new TreeMap<>();
        for (JsonNode image : captions.path("images")) {
            long id = image.path("id").asLong();
            byId.put(
                    id,
                    new Photo(
                            image.path("file_name").asString(),
                            image.path("width").asInt(),
                            image.path("height").asInt(),
                            new ArrayList<>(),
                            new ArrayList<>()));
        }
        for (JsonNode caption : captions.path("annotations")) {
            byId.get(caption.path("image_id").asLong())
                    .captions()
                    .add(caption.path("caption").asString().strip());
        }
        for (JsonNode region : instances.path("annotations")) {
            JsonNode box = region.path("bbox");
            byId.get(region.path("image_id").asLong())
                    .regions()
                    .add(new Region(
                            categories.getOrDefault(region.path("category_id").asLong(), ""),
                            box.path(0).asDouble(),
                            box.path(1).asDouble(),
                            box.path(2).asDouble(),
                            box.path(3).asDouble()));
        }
        photos = List.copyOf(byId.values());
    }

    @Test
    void everyCaptionAndBoxBecomesARecord() throws IOException {
        assertThat(photos).hasSize(111);
        LlavaData pairs = LlavaFiles.read(write("all-captions.json", captionPairs(photos)), Policy.FAIL);
        assertThat(pairs.records()).hasSize(555);
        LlavaData regions = LlavaFiles.read(write("all-regions.json", regions(photos)), Policy.FAIL);
        assertThat(regions.records()).hasSize(790);
        for (Photo photo : photos) {
            double rounding = 0.005 * Math.max(photo.width(), photo.height()) + 1e-6;
            for (Region region : photo.regions()) {
                Box box = Boxes.parse(boxText(photo, region)).orElseThrow();
                double[] corners = Boxes.toPixels(box, photo.width(), photo.height());
                assertThat(corners)
                        .as(photo.file())
                        .containsExactly(
                                new double[] {
                                    region.x(), region.y(), region.x() + region.width(), region.y() + region.height()
                                },
                                within(rounding));
            }
        }
        ImageViews seen = new ImageViews(LlavaConfig.LLAVA_1_5_7B.imagePreparation(), ExifOrientation.IGNORE, 576);
        DataCheck.Result looked =
                DataCheck.run(pairs, new ImageFolder(IMAGES, false), null, seen, null, 2, (done, total) -> {});
        assertThat(looked.images()).isEqualTo(111);
        assertThat(looked.hasErrors()).isFalse();
    }

    @Test
    void paddingKeepsTheWholePhotographAndCroppingItsMiddle() {
        List<Photo> oblong = photos.stream()
                .filter(p -> Math.max(p.width(), p.height()) >= 1.2 * Math.min(p.width(), p.height()))
                .toList();
        List<Photo> wide =
                oblong.stream().filter(p -> p.width() > p.height()).limit(6).toList();
        List<Photo> tall =
                oblong.stream().filter(p -> p.width() < p.height()).limit(6).toList();
        assertThat(wide).hasSize(6);
        assertThat(tall).hasSize(6);
        int edge = 96;
        ImageProcessor pad = new ImageProcessor(edge, AspectMode.PAD);
        ImageProcessor crop = new ImageProcessor(edge, AspectMode.CROP);
        for (List<Photo> shape : List.of(wide, tall)) {
            for (Photo photo : shape) {
                RgbImage image = ImageDecoder.decode(IMAGES.resolve(photo.file()));
                assertThat(List.of(image.width(), image.height())).isEqualTo(List.of(photo.width(), photo.height()));
                RgbImage changed = withInvertedEnd(image);
                float[] padded = pad.process(image);
                float[] cropped = crop.process(image);
                assertThat(padded).as(photo.file()).hasSize(3 * edge * edge).isNotEqualTo(pad.process(changed));
                assertThat(cropped).as(photo.file()).hasSize(3 * edge * edge).isEqualTo(crop.process(changed));
                // The corner is padding of CLIP's mean colour, which normalises to almost nothing.
                assertThat(padded[0]).as(photo.file()).isCloseTo(0, within(0.02f));
            }
        }
    }

    @Test
    void bothStagesTrainAndTheModelIsAsked() throws IOException {
        assumeTrue(
                Files.isDirectory(TOWER) && Files.isDirectory(LANGUAGE),
                "models/nano-tower or models/nano-language is not in the checkout");
        List<Photo> learnt = new ArrayList<>();
        Set<String> held = new HashSet<>();
        for (int i = 0; i < photos.size(); i++) {
            if (i % HELD_OUT == 0) {
                held.add(photos.get(i).file());
            } else {
                learnt.add(photos.get(i));
            }
        }
        List<ImageObjects> objects = CocoInstances.read(INSTANCES);
        List<Map<String, Object>> instructions = existence(
                objects.stream().filter(o -> !held.contains(o.image())).toList());
        instructions.addAll(captionRequests(learnt));
        instructions.addAll(regions(learnt));

        TrainConfig align = recipe("pretrain", write("stage1.json", captionPairs(learnt)), Map.of());
        Map<String, float[]> before = projectorAtStart(align);
        LossRecorder first = train(align);
        assertThat(first.learning).isEqualTo(before.keySet());
        Path projector = align.output().resolve("model").resolve(ModelFiles.PROJECTOR);

        TrainConfig tune =
                recipe("finetune", write("stage2.json", instructions), Map.of("model.projector", projector.toString()));
        Map<String, float[]> between = projectorAtStart(tune);
        LossRecorder second = train(tune);
        assertThat(second.learning)
                .containsAll(before.keySet())
                .noneMatch(name -> name.startsWith(CanonicalNames.TOWER));

        Path model = tune.output().resolve("model");
        try (Checkpoint aligned = Checkpoint.open(projector);
                Checkpoint tuned = Checkpoint.open(model).requireComplete();
                Checkpoint tower = Checkpoint.open(TOWER);
                Checkpoint language = Checkpoint.open(LANGUAGE)) {
            before.forEach((name, values) -> {
                float[] learned = aligned.tensor(name).toFloats();
                assertThat(learned).as(name).isNotEqualTo(values).isEqualTo(between.get(name));
                assertThat(tuned.tensor(name).toFloats()).as(name).isNotEqualTo(learned);
            });
            assertThat(aligned.tensors().keySet()).isEqualTo(before.keySet());
            assertThat(second.learning).containsAll(language.tensors().keySet());
            language.tensors()
                    .forEach((name, entry) ->
                            assertThat(tuned.tensor(name).toFloats()).as(name).isNotEqualTo(entry.toFloats()));
            tower.tensors()
                    .forEach((name, entry) ->
                            assertThat(tuned.tensor(name).toFloats()).as(name).isEqualTo(entry.toFloats()));
        }
        ask(model, objects.stream().filter(o -> held.contains(o.image())).toList());
    }

    /** Puts POPE questions about photographs that were not trained on, and one free question. */
    private static void ask(Path model, List<ImageObjects> held) {
        List<Question> questions =
                PopeFiles.write(dir.resolve("pope"), new PopeBuilder(2, 6, 1).build(held), Benchmarks.POPE::render);
        assertThat(questions).hasSize(3 * 6 * 4);
        try (LlavaPipeline llava = LlavaPipeline.open(model)) {
            List<Answer> answers = new EvalRunner(llava, "photographs", ImageDecoder::decode)
                    .run(
                            new EvalRunner.Job(
                                    questions,
                                    IMAGES,
                                    dir.resolve("answers.jsonl"),
                                    GenerationOptions.greedy(8),
                                    12,
                                    false),
                            (done, total) -> {});
            assertThat(answers)
                    .extracting(Answer::id)
                    .isEqualTo(questions.stream().map(Question::id).toList());
            PopeScore score = PopeScorer.score(
                    questions,
                    PopeScorer.readLabels(dir.resolve("pope").resolve(PopeFiles.LABELS)),
                    answers,
                    PopeScorer.Matching.STRICT);
            assertThat(score.splits().values()).hasSize(3).allMatch(split -> split.compared() == 24);
            assertThat(score.meanAccuracy()).isBetween(0.0, 1.0);
            score.splits()
                    .forEach((split, numbers) -> System.out.printf(
                            "photographs, POPE %s (F1, accuracy, precision, recall, yes): %s%n",
                            split, numbers.printed()));

            String image = held.getFirst().image();
            ChatRequest request = new ChatRequest(
                    List.of(Turn.human("<image>\nWhat is in the image?")),
                    List.of(ImageDecoder.decode(IMAGES.resolve(image))));
            String answer =
                    llava.answer(List.of(request), GenerationOptions.greedy(24)).getFirst();
            System.out.printf("photographs, %s: %s%n", image, answer);
            assertThat(answer).isNotBlank();
        }
    }

    private static TrainConfig recipe(String stage, Path data, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.put("output", dir.resolve(stage).toString());
        values.put("model.vision-tower", TOWER.toString());
        values.put("model.language-model", LANGUAGE.toString());
        values.put("data.json", data.toString());
        values.put("data.images", IMAGES.toString());
        values.put("data.bad-record-policy", "fail");
        values.put("data.missing-image-policy", "fail");
        values.put("schedule.max-steps", Integer.toString(STEPS));
        values.put("batch.per-device", "4");
        return new RecipeLoader().load(Path.of("../recipes/nano").resolve(stage + ".yaml"), values, Map.of());
    }

    private static LossRecorder train(TrainConfig config) throws IOException {
        LossRecorder recorder = new LossRecorder();
        assertThat(TrainingRun.run(config, Objectives::create, false, recorder, () -> false))
                .isTrue();
        assertThat(recorder.losses).hasSize(STEPS).allMatch(loss -> Double.isFinite(loss) && loss > 0);
        List<JsonNode> metrics = Files.readAllLines(config.output().resolve("metrics.jsonl")).stream()
                .map(JSON::readTree)
                .toList();
        assertThat(metrics).extracting(line -> line.path("step").asInt()).containsExactly(1, 2, 3);
        assertThat(metrics).extracting(line -> line.path("loss").asDouble()).isEqualTo(recorder.losses);
        assertThat(metrics)
                .allMatch(line -> line.path("samples").asInt() == config.samplesPerStep())
                .allMatch(line -> line.path("supervised_tokens").asInt() > 0);
        assertThat(config.output().resolve("skipped.jsonl")).doesNotExist();
        System.out.printf("photographs, %s: losses %s%n", config.stage(), recorder.losses);
        return recorder;
    }

    private static Map<String, float[]> projectorAtStart(TrainConfig config) {
        ModelLoader.Loaded start = Objectives.start(config);
        Map<String, float[]> values = new TreeMap<>();
        try (LlavaModel model = start.model()) {
            for (String name : model.weights().names()) {
                if (name.startsWith(CanonicalNames.PROJECTOR)) {
                    values.put(
                            name,
                            Engine.scope(
                                    name, () -> Tensors.toFloats(model.weights().get(name))));
                }
            }
        }
        assertThat(values).hasSize(4);
        return values;
    }

    private static List<Map<String, Object>> captionPairs(List<Photo> photos) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (Photo photo : photos) {
            for (String caption : photo.captions()) {
                records.add(conversation(
                        photo.file(),
                        List.of(Turn.human("Describe the image concisely.\n<image>"), Turn.assistant(caption))));
            }
        }
        return records;
    }

    private static List<Map<String, Object>> captionRequests(List<Photo> photos) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (Photo photo : photos) {
            records.add(conversation(
                    photo.file(),
                    List.of(
                            Turn.human("<image>\nProvide a one-sentence caption for the provided image."),
                            Turn.assistant(photo.captions().getFirst()))));
        }
        return records;
    }

    /** For every photograph with an object one question about it and one about an object that is not there. */
    private static List<Map<String, Object>> existence(List<ImageObjects> objects) {
        Map<String, List<Turn>> turns = new TreeMap<>();
        new PopeBuilder(1, objects.size(), 1)
                .build(objects)
                .getOrDefault(PopeSplit.RANDOM, List.of())
                .forEach(label -> {
                    List<Turn> conversation = turns.computeIfAbsent(label.image(), image -> new ArrayList<>());
                    conversation.add(Turn.human(
                            conversation.isEmpty()
                                    ? "<image>\n" + Benchmarks.POPE.render(label.text())
                                    : label.text()));
                    conversation.add(Turn.assistant(label.yes() ? "Yes" : "No"));
                });
        List<Map<String, Object>> records = new ArrayList<>();
        turns.forEach((image, conversation) -> records.add(conversation(image, conversation)));
        return records;
    }

    /** Regions in both directions by turns: a name for a box, a box for a name. */
    private static List<Map<String, Object>> regions(List<Photo> photos) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (Photo photo : photos) {
            for (Region region : photo.regions()) {
                String box = boxText(photo, region);
                records.add(conversation(
                        photo.file(),
                        records.size() % 2 == 0
                                ? List.of(
                                        Turn.human("<image>\nPlease provide a short description for this region: " + box
                                                + "."),
                                        Turn.assistant(region.category()))
                                : List.of(
                                        Turn.human("<image>\nPlease provide the bounding box coordinate of the region"
                                                + " this sentence describes: " + region.category() + "."),
                                        Turn.assistant(box))));
            }
        }
        return records;
    }

    private static String boxText(Photo photo, Region region) {
        return Boxes.text(Boxes.onPaddedSquare(
                photo.width(), photo.height(), region.x(), region.y(), region.width(), region.height()));
    }

    private static Map<String, Object> conversation(String image, List<Turn> turns) {
        List<Map<String, String>> conversation = new ArrayList<>();
        for (Turn turn : turns) {
            conversation.add(Map.of("from", conversation.size() % 2 == 0 ? "human" : "gpt", "value", turn.text()));
        }
        return Map.of("id", image, "image", image, "conversations", conversation);
    }

    private static Path write(String name, List<Map<String, Object>> records) throws IOException {
        return Files.writeString(dir.resolve(name), JSON.writeValueAsString(records));
    }

    /** Another image in the first fiftieth of the longer side, well outside the centre. */
    private static RgbImage withInvertedEnd(RgbImage image) {
        byte[] pixels = image.pixels().clone();
        boolean wide = image.width() > image.height();
        int columns = wide ? image.width() / 50 : image.width();
        int rows = wide ? image.height() : image.height() / 50;
        for (int y = 0; y < rows; y++) {
            for (int i = y * image.width() * 3; i < (y * image.width() + columns) * 3; i++) {
                pixels[i] = (byte) ~pixels[i];
            }
        }
        return new RgbImage(image.width(), image.height(), pixels);
    }
}
