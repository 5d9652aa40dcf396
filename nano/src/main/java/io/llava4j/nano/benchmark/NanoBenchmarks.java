package io.llava4j.nano.benchmark;

import io.llava4j.DataException;
import io.llava4j.io.Progress;
import io.llava4j.nano.raw.CachedFolder;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.raw.RenderQueue;
import io.llava4j.nano.world.DrawingsFingerprint;
import io.llava4j.nano.world.Sprites;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * Writes the twelve benchmarks of LLaVA-1.5 about images of the nano world, each in the files and folders of the
 * original, for {@code llava eval} and {@code llava score}. All drawings are by held-out artists. Every benchmark's
 * folder holds {@code unofficial.json}, which declares that these are not the published questions.
 *
 * <p>The same options give the same bytes, however many threads draw.
 */
public final class NanoBenchmarks {
    /** Incremented when the same options give other bytes than before. */
    private static final int VERSION = 2;

    private static final CachedFolder FOLDER = new CachedFolder("nano benchmarks", "nano-benchmarks.json");

    private static final String NOTE =
            "Nano benchmarks: drawn scenes of artists held out from training, in the files of the"
                    + " official benchmarks. Numbers are nano numbers and say nothing about published ones.";

    private static final List<NanoBenchmark> ALL = List.of(
            new NanoVqav2(),
            new NanoGqa(),
            new NanoVizWiz(),
            new NanoScienceQa(),
            new NanoTextVqa(),
            new NanoPope(),
            new NanoMme(),
            new NanoMmBench(),
            new NanoSeed(),
            new NanoLlavaBench(),
            new NanoMmVet());

    /** Longer than any right answer; truncates a model that does not stop. */
    private static final int MAX_NEW_TOKENS = 64;

    private NanoBenchmarks() {}

    /**
     * Writes the benchmarks, or keeps existing ones that were written with the same options.
     *
     * @param directory absent, empty, or older nano benchmarks, which are replaced; gets a folder for each benchmark
     * @param options what to write
     * @param sprites the drawings
     * @param threads number of drawing threads
     * @param progress receives the number of images drawn
     * @param pope builds POPE's questions by POPE's procedure in its folder, which holds
     *     {@code annotations/instances_val2014.json} in COCO's form and the images in {@code val2014}, and returns their number
     * @return questions by benchmark
     * @throws DataException if the directory holds something else, another process is writing it, or it cannot be written
     */
    public static NanoWorld.Result write(
            Path directory,
            NanoBenchmarkOptions options,
            Sprites sprites,
            int threads,
            Progress progress,
            ToIntFunction<Path> pope) {
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("version", VERSION);
        about.put("options", options);
        about.put("held_out_sets", sprites.drawings().heldOutSets());
        return FOLDER.write(
                directory,
                DrawingsFingerprint.of(VERSION, options, sprites.drawings()),
                about,
                root -> writeAll(root, options, sprites, threads, progress, pope));
    }

    private static Map<String, Integer> writeAll(
            Path root,
            NanoBenchmarkOptions options,
            Sprites sprites,
            int threads,
            Progress progress,
            ToIntFunction<Path> pope)
            throws IOException {
        Map<String, Integer> counts = new LinkedHashMap<>();
        try (RenderQueue queue = new RenderQueue(options.imageSize(), Math.max(1, threads), 0, progress)) {
            BenchmarkFolder folder = new BenchmarkFolder(root, options, sprites, queue);
            for (NanoBenchmark benchmark : ALL) {
                counts.putAll(benchmark.write(folder));
            }
            queue.finish();
            for (String name : counts.keySet()) {
                folder.json(name + "/unofficial.json", about());
            }
        }
        counts.put(NanoPope.NAME, pope.applyAsInt(root.resolve(NanoPope.NAME)));
        return counts;
    }

    private static Map<String, Object> about() {
        return BenchmarkFolder.object("note", NOTE, "judge", "local", "max_new_tokens", MAX_NEW_TOKENS);
    }
}
