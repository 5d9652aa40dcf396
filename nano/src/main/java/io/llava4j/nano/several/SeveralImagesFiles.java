package io.llava4j.nano.several;

import io.llava4j.io.Progress;
import io.llava4j.nano.raw.CachedFolder;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.raw.RenderQueue;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.DrawingsFingerprint;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.RawSchemas;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes questions about several images:
 *
 * <ul>
 *   <li>{@code train.json} and {@code images/}: conversations in LLaVA's format, {@code image} is an array
 *   <li>{@code several_images/}: the benchmark of that name with other artists' drawings, for {@code llava eval}
 * </ul>
 *
 * The same options give the same bytes for any number of threads.
 */
public final class SeveralImagesFiles {
    /** Increased when the same options give other bytes than before. */
    private static final int VERSION = 2;

    private static final CachedFolder FOLDER = new CachedFolder("nano questions about several images", "manifest.json");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String BENCHMARK = "several_images";
    private static final String NOTE =
            "Nano questions about two and three images, with drawings by artists held out from training.";

    private SeveralImagesFiles() {}

    /**
     * Writes them, or keeps existing ones that were written with the same options.
     *
     * @param directory absent, empty, or older files of this kind, which are replaced
     * @param threads number of threads that draw
     * @param progress receives the number of images drawn
     * @return questions by kind
     */
    public static NanoWorld.Result write(Path directory, SeveralImagesOptions options, int threads, Progress progress) {
        Drawings drawings = Drawings.load();
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("version", VERSION);
        about.put("options", options);
        about.put("training_sets", drawings.trainingSets());
        about.put("held_out_sets", drawings.heldOutSets());
        return FOLDER.write(directory, DrawingsFingerprint.of(VERSION, options, drawings), about, root -> {
            Map<String, Integer> counts = new LinkedHashMap<>();
            Sprites sprites = new Sprites(drawings);
            try (RenderQueue queue = new RenderQueue(options.imageSize(), Math.max(1, threads), 0, progress)) {
                writeTraining(root, options, sprites, queue, counts);
                writeBenchmark(root.resolve(BENCHMARK), options, sprites, queue, counts);
                queue.finish();
            }
            return counts;
        });
    }

    private static void writeTraining(
            Path root, SeveralImagesOptions options, Sprites sprites, RenderQueue queue, Map<String, Integer> counts)
            throws IOException {
        SceneOptions scenes = SceneOptions.sources(sprites.drawings().trainingSets());
        ImageSets sets = new ImageSets(new ScenePool(sprites, scenes, options.seed()), options.seed(), "several train");
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < options.training(); i++) {
            ImageSet set = sets.get(i);
            List<String> images = draw(set, i, root.resolve("images"), queue);
            String placeholders = String.join(" ", Collections.nCopies(images.size(), Turn.IMAGE_PLACEHOLDER));
            records.add(RawSchemas.ordered(
                    "id",
                    "several_%06d".formatted(i),
                    "image",
                    images,
                    "conversations",
                    List.of(
                            RawSchemas.ordered("from", "human", "value", placeholders + "\n" + set.prompt()),
                            RawSchemas.ordered("from", "gpt", "value", set.reply()))));
            counts.merge("train/" + set.kind(), 1, Integer::sum);
        }
        Files.writeString(root.resolve("train.json"), JSON.writeValueAsString(records) + "\n");
    }

    private static void writeBenchmark(
            Path root, SeveralImagesOptions options, Sprites sprites, RenderQueue queue, Map<String, Integer> counts)
            throws IOException {
        SceneOptions scenes = SceneOptions.evaluation(sprites.drawings().heldOutSets());
        ImageSets sets = new ImageSets(new ScenePool(sprites, scenes, ~options.seed()), options.seed(), "several eval");
        StringBuilder questions = new StringBuilder();
        StringBuilder answers = new StringBuilder();
        for (int i = 0; i < options.evaluation(); i++) {
            ImageSet set = sets.get(i);
            line(
                    questions,
                    "question_id",
                    i,
                    "image",
                    draw(set, i, root.resolve("images"), queue),
                    "text",
                    set.prompt(),
                    "category",
                    set.kind());
            line(answers, "question_id", i, "answer", set.answer(), "kind", set.kind());
            counts.merge(BENCHMARK + "/" + set.kind(), 1, Integer::sum);
        }
        Files.createDirectories(root);
        Files.writeString(root.resolve("several_images_questions.jsonl"), questions);
        Files.writeString(root.resolve("several_images_answers.jsonl"), answers);
        Files.writeString(
                root.resolve("unofficial.json"),
                JSON.writeValueAsString(RawSchemas.ordered("note", NOTE, "max_new_tokens", 96)) + "\n");
    }

    private static void line(StringBuilder file, Object... namesAndValues) {
        file.append(JSON.writeValueAsString(RawSchemas.ordered(namesAndValues))).append('\n');
    }

    private static List<String> draw(ImageSet set, int number, Path folder, RenderQueue queue) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < set.scenes().size(); i++) {
            String name = "%06d_%d.jpg".formatted(number, i + 1);
            queue.draw(set.scenes().get(i), folder.resolve(name), "jpg");
            names.add(name);
        }
        return names;
    }
}
