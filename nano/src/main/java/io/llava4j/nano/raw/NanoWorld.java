package io.llava4j.nano.raw;

import io.llava4j.DataException;
import io.llava4j.io.Progress;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.DrawingsFingerprint;
import io.llava4j.nano.world.Sprites;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a nano world: the raw data sets of LLaVA's recipe, and images for evaluation:
 *
 * <ul>
 *   <li>{@code raw/}: annotation files of LCS-558K and of the ten sources of the mixture, in their original schemas, at
 *       the paths that {@code recipes/data/lcs558k.yaml} and {@code mix665k.yaml} name
 *   <li>{@code images/}: their images; each belongs to one source, and its scene is the ground truth of its annotations
 *   <li>{@code eval/}: images by held-out artists in {@code images}, {@code vqa_questions.json} and
 *       {@code vqa_annotations.json} in VQAv2's format, {@code instances.json} and {@code captions.json} in COCO's
 *   <li>{@code validation/}: the same with other scenes by training artists
 *   <li>{@code manifest.json}: options, counts and the fingerprint of the world
 * </ul>
 *
 * The same options give the same bytes for any number of threads.
 */
public final class NanoWorld {
    /** Increased when the same options give other bytes than before. */
    private static final int VERSION = 3;

    private static final CachedFolder FOLDER = new CachedFolder("a nano world", "manifest.json");

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Sprites sprites;
    private final NanoWorldOptions options;
    private final Progress progress;

    /**
     * A nano world on disk.
     *
     * @param directory of the world
     * @param reused whether it existed with the same fingerprint
     * @param counts images of each source (or conversations, if it has none), images and questions of the splits
     */
    public record Result(Path directory, boolean reused, Map<String, Integer> counts) {}

    private NanoWorld(Sprites sprites, NanoWorldOptions options, Progress progress) {
        this.sprites = sprites;
        this.options = options;
        this.progress = progress;
    }

    /**
     * Writes a world, or keeps the existing one if it has the same fingerprint ({@link CachedFolder}).
     *
     * @param directory missing, empty, or an older world, which is replaced
     * @param options of the world
     * @param sprites the drawings
     * @param threads number of threads that draw
     * @param progress called with the number of images drawn
     * @throws DataException if the directory contains other files, another process is writing it, or it cannot be
     *     written
     */
    public static Result write(
            Path directory, NanoWorldOptions options, Sprites sprites, int threads, Progress progress) {
        NanoWorld world = new NanoWorld(sprites, options, progress);
        return FOLDER.write(
                directory,
                DrawingsFingerprint.of(VERSION, options, sprites.drawings()),
                world.about(),
                root -> world.writeAll(root, threads));
    }

    /** Entries of the manifest besides fingerprint and counts. */
    private Map<String, ?> about() {
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("version", VERSION);
        about.put("options", options);
        about.put("training_sets", sprites.drawings().trainingSets());
        about.put("held_out_sets", sprites.drawings().heldOutSets());
        about.put("categories", sprites.drawings().categories().size());
        return about;
    }

    private Map<String, Integer> writeAll(Path root, int threads) throws IOException {
        List<RawSources.Part> parts = RawSources.of(options);
        int total = options.validationImages() + options.evaluationImages();
        for (RawSources.Part part : parts) {
            total += part.source().illustrated() ? part.count() : 0;
        }
        Map<String, Integer> counts = new LinkedHashMap<>();
        try (RenderQueue queue = new RenderQueue(options.imageSize(), Math.max(1, threads), total, progress)) {
            for (int i = 0; i < parts.size(); i++) {
                RawSources.Part part = parts.get(i);
                if (part.count() > 0) {
                    part.source().write(new SourceImages(root, part, i + 1, sprites, options, queue));
                    counts.put(part.name(), part.count());
                }
            }
            Drawings drawings = sprites.drawings();
            writeSplit(root, "validation", drawings.trainingSets(), options.validationImages(), queue, counts);
            writeSplit(root, "eval", drawings.heldOutSets(), options.evaluationImages(), queue, counts);
            queue.finish();
        }
        return counts;
    }

    private void writeSplit(
            Path root, String name, List<String> sets, int count, RenderQueue queue, Map<String, Integer> counts)
            throws IOException {
        NanoSplit split = new NanoSplit(name, sprites, sets, count, options);
        Path folder = root.resolve(name);
        Files.createDirectories(folder.resolve("images"));
        for (int i = 0; i < count; i++) {
            queue.draw(split.scenes().get(i), folder.resolve("images").resolve(NanoSplit.fileName(i)), "jpg");
        }
        NanoSplit.Vqa vqa = split.vqa(options.questionsPerImage(), options.questions());
        writeJson(folder.resolve("vqa_questions.json"), vqa.questions());
        writeJson(folder.resolve("vqa_annotations.json"), vqa.annotations());
        writeJson(folder.resolve("instances.json"), split.instances());
        writeJson(folder.resolve("captions.json"), split.captions());
        counts.put(name + "/images", count);
        NanoSplit.countByKind(vqa).forEach((kind, number) -> counts.put(name + "/questions/" + kind, number));
    }

    private static void writeJson(Path file, Map<String, Object> json) throws IOException {
        Files.writeString(file, JSON.writeValueAsString(json) + "\n");
    }
}
