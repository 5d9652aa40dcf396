package io.llava4j.nano.raw;

import io.llava4j.io.Progress;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * A nano world with the data files of both stages, built from its raw files by {@code recipes/data/nano-lcs.yaml}
 * and {@code nano-mix.yaml}, each in a folder named after its recipe, with manifest and datasheet.
 */
public final class NanoData {
    private static final String CAPTIONS = "nano-lcs";
    private static final String MIXTURE = "nano-mix";

    private final Path home;
    private final Path world;
    private final NanoWorldOptions options;
    private final int threads;
    private final Progress.Display display;
    private final BooleanSupplier stop;

    /**
     * @param home folder of {@code recipes/} and {@code models/}
     * @param world folder to write
     * @param options of the world
     * @param threads number of threads that draw and build
     * @param display shows progress
     * @param stop true stops at the next safe point
     */
    public NanoData(
            Path home,
            Path world,
            NanoWorldOptions options,
            int threads,
            Progress.Display display,
            BooleanSupplier stop) {
        this.home = home;
        this.world = world;
        this.options = options;
        this.threads = threads;
        this.display = display;
        this.stop = stop;
    }

    /** Data file of stage 1: caption pairs. */
    public Path stage1() {
        return world.resolve(CAPTIONS).resolve(CAPTIONS + ".json");
    }

    /** Data file of stage 2: conversations. */
    public Path stage2() {
        return world.resolve(MIXTURE).resolve(MIXTURE + ".json");
    }

    /** The image folder of both data files. */
    public Path images() {
        return world.resolve("images");
    }

    /**
     * Writes the world, or keeps the existing one.
     *
     * @return empty if it was stopped
     */
    public Optional<NanoWorld.Result> write() {
        try (Progress.Shown progress = display.open("nano world", "images")) {
            return Optional.of(NanoWorld.write(world, options, new Sprites(Drawings.load()), threads, (done, total) -> {
                progress.update(done, total);
                if (stop.getAsBoolean()) {
                    throw new CancellationException();
                }
            }));
        } catch (CancellationException e) {
            return Optional.empty();
        }
    }

    /**
     * Builds the data files of a written world, or keeps existing ones; a stage without records has none.
     *
     * @return manifests by file, or empty if it was stopped
     */
    public Optional<Map<Path, Manifest>> build() {
        Map<Path, Manifest> built = new LinkedHashMap<>();
        if (options.stage1() > 0) {
            build(CAPTIONS).ifPresent(manifest -> built.put(stage1(), manifest));
        }
        if (options.stage2() > 0) {
            build(MIXTURE).ifPresent(manifest -> built.put(stage2(), manifest));
        }
        return stop.getAsBoolean() ? Optional.empty() : Optional.of(built);
    }

    private Optional<Manifest> build(String recipe) {
        MixtureRecipe mixture = MixtureRecipe.load(
                home.resolve("recipes/data").resolve(recipe + ".yaml"),
                Map.of(
                        "raw", ConfigFile.quoted(world.resolve("raw")),
                        "images", ConfigFile.quoted(images()),
                        "tokenizer", ConfigFile.quoted(home.resolve("models/nano-tokenizer"))));
        return MixtureBuilder.build(mixture, world.resolve(recipe), MixtureBuilder.Format.JSON, threads, display, stop)
                .map(MixtureBuilder.Result::manifest);
    }
}
