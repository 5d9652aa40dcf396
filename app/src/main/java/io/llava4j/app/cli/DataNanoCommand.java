package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import io.llava4j.nano.benchmark.NanoBenchmarkOptions;
import io.llava4j.nano.raw.NanoData;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.raw.NanoWorldOptions;
import io.llava4j.nano.several.SeveralImagesFiles;
import io.llava4j.nano.several.SeveralImagesOptions;
import io.llava4j.train.data.mixture.Manifest;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data nano}: writes a nano world. */
@Command(
        name = "nano",
        description = "Write a nano world, the same for a seed: the raw data sets of LLaVA's recipe with their images,"
                + " the data files of both stages, and held-out images with questions.")
final class DataNanoCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;
    private static final NanoWorldOptions DEFAULT = NanoWorldOptions.DEFAULT;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "DIR",
            description = "Output folder; an older nano world in it is replaced, any other folder is an error.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path dir;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of scenes and texts (default: ${DEFAULT-VALUE}).")
    private long seed = DEFAULT.seed();

    @Option(
            names = "--image-size",
            paramLabel = "PIXELS",
            description = "Edge of the images in pixels (default: ${DEFAULT-VALUE}).")
    private int imageSize = DEFAULT.imageSize();

    @Option(names = "--stage1", paramLabel = "N", description = "Number of caption pairs (default: ${DEFAULT-VALUE}).")
    private int stage1 = DEFAULT.stage1();

    @Option(
            names = "--stage2",
            paramLabel = "N",
            description = "Approximate number of conversations (default: ${DEFAULT-VALUE}).")
    private int stage2 = DEFAULT.stage2();

    @Option(
            names = "--validation",
            paramLabel = "N",
            description = "Images with questions by the artists of the training data (default: ${DEFAULT-VALUE}).")
    private int validation = DEFAULT.validationImages();

    @Option(
            names = "--eval",
            paramLabel = "N",
            description = "Images with questions by artists held out (default: ${DEFAULT-VALUE}).")
    private int evaluation = DEFAULT.evaluationImages();

    @Option(
            names = "--all-forms",
            description = "Ask in all forms of the benchmarks, as recipes/nano-plus needs: options of all kinds, yes or"
                    + " no about everything, misread words, free questions, chats about scenes in words.")
    private boolean allForms;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Number of threads that draw and build (default: all processors).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--raw",
            description =
                    "Write only the raw files; by default the data files of both stages are built from them, as by"
                            + " llava data build with recipes/data/nano-lcs.yaml and nano-mix.yaml.")
    private boolean raw;

    @Option(
            names = "--benchmarks",
            description = "Write the twelve benchmarks instead, with images by held-out artists, in the formats of the"
                    + " official ones, for llava eval --tasks all --data DIR.")
    private boolean benchmarks;

    @Option(
            names = "--several-images",
            paramLabel = "N",
            description = "Write N training questions about two and three images instead, with their benchmark"
                    + " several_images.")
    private int severalImages;

    @Option(
            names = "--scale",
            paramLabel = "X",
            description =
                    "Size of the benchmarks: 1 is about 850 images with 3,500 questions (default: ${DEFAULT-VALUE}).")
    private double scale = 1;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    private DataNanoCommand() {}

    @Override
    public Integer call() {
        if (raw && benchmarks) {
            throw new ParameterException(spec.commandLine(), "--raw and --benchmarks exclude each other");
        }
        if (severalImages != 0) {
            if (raw || benchmarks) {
                throw new ParameterException(
                        spec.commandLine(), "--several-images excludes --raw and --benchmarks; write them elsewhere");
            }
            print(writeSeveralImages(), Map.of());
            return CommandLine.ExitCode.OK;
        }
        NanoWorldOptions options = options();
        if (benchmarks) {
            print(writeBenchmarks(), Map.of());
            return CommandLine.ExitCode.OK;
        }
        try (StopSignal stop = new StopSignal(spec.commandLine().getErr(), "the next safe point")) {
            NanoData data = new NanoData(Home.directory(), dir, options, threads, ProgressLine::onStderr, stop);
            Optional<NanoWorld.Result> world = data.write();
            Optional<Map<Path, Manifest>> built =
                    world.isEmpty() ? Optional.empty() : raw ? Optional.of(Map.of()) : data.build();
            if (built.isEmpty()) {
                return INTERRUPTED;
            }
            print(world.get(), built.get());
        }
        return CommandLine.ExitCode.OK;
    }

    private NanoWorld.Result writeBenchmarks() {
        NanoBenchmarkOptions options;
        try {
            options = new NanoBenchmarkOptions(seed, imageSize, scale);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        try (ProgressLine progress = ProgressLine.onStderr("nano benchmarks", "images")) {
            return NanoBenchmarkFiles.write(dir, options, threads, progress::update);
        }
    }

    private NanoWorld.Result writeSeveralImages() {
        SeveralImagesOptions options;
        try {
            options =
                    new SeveralImagesOptions(seed, imageSize, severalImages, SeveralImagesOptions.DEFAULT.evaluation());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        try (ProgressLine progress = ProgressLine.onStderr("several images", "images")) {
            return SeveralImagesFiles.write(dir, options, threads, progress::update);
        }
    }

    private NanoWorldOptions options() {
        if (threads < 1) {
            throw new ParameterException(spec.commandLine(), "--threads must be 1 or more, not " + threads);
        }
        try {
            return new NanoWorldOptions(
                    seed,
                    imageSize,
                    stage1,
                    stage2,
                    validation,
                    evaluation,
                    DEFAULT.questionsPerImage(),
                    DEFAULT.questions(),
                    allForms);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void print(NanoWorld.Result world, Map<Path, Manifest> built) {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, Integer> records = new LinkedHashMap<>();
        built.forEach((file, manifest) -> records.put(file.toString(), manifest.records()));
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("directory", world.directory().toString());
            document.put("reused", world.reused());
            document.put("counts", world.counts());
            document.put("files", records);
            out.println(JsonMapper.builder().build().writeValueAsString(document));
        } else {
            out.println(world.directory() + (world.reused() ? " exists already" : ""));
            world.counts().forEach((name, count) -> out.printf("%8d  %s%n", count, name));
            records.forEach((file, count) -> out.printf("%8d  records in %s%n", count, file));
        }
        out.flush();
    }
}
