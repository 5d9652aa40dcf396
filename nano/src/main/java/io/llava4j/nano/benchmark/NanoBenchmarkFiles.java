package io.llava4j.nano.benchmark;

import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.pope.CocoInstances;
import io.llava4j.eval.pope.ImageObjects;
import io.llava4j.eval.pope.PopeBuilder;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.io.Progress;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import java.nio.file.Path;
import java.util.List;

/** The twelve benchmarks about the nano world, ready for {@code llava eval}. */
public final class NanoBenchmarkFiles {
    /** Name of the folder beside a model where {@code llava eval} looks for them. */
    public static final String FOLDER = "benchmarks";

    /** Objects asked about in each image, as POPE does: 18 questions in its three splits. */
    private static final int POPE_OBJECTS = 3;

    private NanoBenchmarkFiles() {}

    /**
     * Writes them, or keeps existing ones that were written with the same options.
     *
     * @param directory gets a folder for each benchmark
     * @param threads number of drawing threads
     * @param progress receives the number of images drawn
     */
    public static NanoWorld.Result write(Path directory, NanoBenchmarkOptions options, int threads, Progress progress) {
        return NanoBenchmarks.write(
                directory,
                options,
                new Sprites(Drawings.load()),
                threads,
                progress,
                folder -> buildPope(folder, options.seed()));
    }

    /** Asks about all images by POPE's procedure; returns the number of questions. */
    private static int buildPope(Path folder, long seed) {
        List<ImageObjects> images = CocoInstances.read(folder.resolve("annotations/instances_val2014.json"));
        return PopeFiles.write(
                        folder,
                        new PopeBuilder(POPE_OBJECTS, images.size(), seed).build(images),
                        Benchmarks.POPE::render)
                .size();
    }
}
