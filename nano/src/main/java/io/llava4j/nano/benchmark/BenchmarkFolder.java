package io.llava4j.nano.benchmark;

import io.llava4j.nano.raw.ImageFiles;
import io.llava4j.nano.raw.NanoSplit;
import io.llava4j.nano.raw.RenderQueue;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneRenderer;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import io.llava4j.train.data.raw.RawSchemas;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Where benchmarks are written: scenes by held-out artists to ask about, and the files' usual forms. */
final class BenchmarkFolder {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path root;
    private final NanoBenchmarkOptions options;
    private final Sprites sprites;
    private final RenderQueue queue;

    BenchmarkFolder(Path root, NanoBenchmarkOptions options, Sprites sprites, RenderQueue queue) {
        this.root = root;
        this.options = options;
        this.sprites = sprites;
        this.queue = queue;
    }

    /** A number of images or questions at the scale asked for. */
    int scaled(int count) {
        return options.scaled(count);
    }

    /** Edge of the images in pixels. */
    int imageSize() {
        return options.imageSize();
    }

    /** Evaluation scenes, drawn by held-out artists. */
    SceneOptions scenes() {
        return SceneOptions.evaluation(sprites.drawings().heldOutSets());
    }

    /** The scenes of one benchmark. */
    SceneSampler sampler(String benchmark, SceneOptions scenes) {
        return new SceneSampler(sprites, scenes, NanoSplit.seed(options.seed(), "benchmark " + benchmark));
    }

    /** Scenes with their questions, instances and captions in the forms of VQAv2 and COCO. */
    NanoSplit split(String benchmark, SceneSampler sampler, List<Scene> scenes) {
        return NanoSplit.of("benchmark " + benchmark, options.seed(), options.imageSize(), sampler, scenes);
    }

    /** Random numbers for one item of a benchmark. */
    SplitMix64 random(String benchmark, long index) {
        return SplitMix64.of(options.seed(), "benchmark " + benchmark, index);
    }

    /** COCO's file name of 2014 for an image counted from 0. */
    static String coco2014(int index) {
        return "COCO_val2014_%012d.jpg".formatted(index + 1);
    }

    /** Has an image drawn as JPEG or PNG: by its name's ending, or JPEG without one. */
    void draw(Scene scene, String path) {
        queue.draw(scene, root.resolve(path), path.endsWith(".png") ? "png" : "jpg");
    }

    /** An image's file. */
    byte[] image(Scene scene, String format) {
        return ImageFiles.encode(SceneRenderer.render(scene, options.imageSize()), format);
    }

    void json(String path, Object tree) {
        write(path, (JSON.writeValueAsString(tree) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** JSON lines. */
    void lines(String path, List<Map<String, Object>> records) {
        StringBuilder text = new StringBuilder();
        records.forEach(record -> text.append(JSON.writeValueAsString(record)).append('\n'));
        text(path, text.toString());
    }

    void text(String path, String text) {
        write(path, text.getBytes(StandardCharsets.UTF_8));
    }

    private void write(String path, byte[] bytes) {
        Path file = root.resolve(path);
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An object with its fields in this order: alternating names and values. */
    static Map<String, Object> object(@Nullable Object... namesAndValues) {
        return RawSchemas.ordered(namesAndValues);
    }

    /** A line of LLaVA's question files. */
    static Map<String, Object> question(Object id, String image, String text, Object category) {
        return object("question_id", id, "image", image, "text", text, "category", category);
    }

    /** Human answers with their confidence. */
    static List<Map<String, Object>> confident(List<String> answers) {
        return answers.stream()
                .map(answer -> object("answer", answer, "answer_confidence", "yes"))
                .toList();
    }
}
