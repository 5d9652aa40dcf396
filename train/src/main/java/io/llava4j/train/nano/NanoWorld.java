package io.llava4j.train.nano;

import io.llava4j.DataException;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.LlavaWriter;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a nano world as a data set on disk, in the files real data comes in:
 *
 * <ul>
 *   <li>{@code images/train/…}: pictures of both stages, JPEG and PNG; paths in the JSON files are below {@code images}
 *   <li>{@code stage1.json}, {@code stage2.json}: LLaVA's format (spec/data 1)
 *   <li>{@code eval/}: pictures by held-out artists in {@code images}, {@code vqa_questions.json} and
 *       {@code vqa_annotations.json} in VQAv2's format, {@code instances.json} and {@code captions.json} in COCO's
 *   <li>{@code validation/}: the same, other scenes with training artists' drawings
 *   <li>{@code manifest.json}: options, counts and a fingerprint by which an up-to-date world is recognised
 * </ul>
 *
 * The same options give the same bytes, however many threads write.
 */
public final class NanoWorld {
    /** Raised when the same options give other bytes than before. */
    private static final int VERSION = 1;

    private static final int CHUNK = 200;
    private static final String MANIFEST = "manifest.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Sprites sprites;
    private final NanoWorldOptions options;
    private final Progress progress;

    /** Told about progress, from the calling thread. */
    @FunctionalInterface
    public interface Progress {
        /**
         * @param done records and pictures written
         * @param total of all
         */
        void update(int done, int total);
    }

    /**
     * A world on disk.
     *
     * @param directory where it is
     * @param reused whether it was there already, with the same fingerprint
     * @param counts records, pictures and questions by name
     */
    public record Result(Path directory, boolean reused, Map<String, Integer> counts) {}

    private NanoWorld(Sprites sprites, NanoWorldOptions options, Progress progress) {
        this.sprites = sprites;
        this.options = options;
        this.progress = progress;
    }

    /**
     * Writes a world, or keeps the one that is there if it has the same fingerprint. The directory appears whole: all is
     * written beside it and moved when done; what a killed run left is removed by the next.
     *
     * @param directory absent, empty, or an older world, which is replaced
     * @param options what to write
     * @param sprites the drawings
     * @param threads how many write
     * @param progress told how far it is
     * @throws DataException if the directory holds something else, another process is writing it, or it cannot be
     *     written
     */
    public static Result write(
            Path directory, NanoWorldOptions options, Sprites sprites, int threads, Progress progress) {
        Path target = directory.toAbsolutePath().normalize();
        Path parent = target.getParent();
        if (parent == null) {
            throw new DataException(target + ": a nano world cannot be the root of a file system; name a folder");
        }
        NanoWorld world = new NanoWorld(sprites, options, progress);
        try {
            Files.createDirectories(parent);
            Path lockFile = beside(target, "lock");
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.tryLock()) {
                if (lock == null) {
                    throw new DataException(target + ": another process is writing this nano world; wait for it");
                }
                Result result = world.reuseOrWrite(target, threads);
                Files.deleteIfExists(lockFile);
                return result;
            }
        } catch (IOException | UncheckedIOException e) {
            throw new DataException("%s: the nano world cannot be written (%s)".formatted(target, e.getMessage()), e);
        }
    }

    private Result reuseOrWrite(Path target, int threads) throws IOException {
        String fingerprint = Fingerprint.of(VERSION, options, sprites.drawings());
        Path manifest = target.resolve(MANIFEST);
        if (Files.isRegularFile(manifest)) {
            Manifest old = readManifest(manifest);
            if (old.fingerprint().equals(fingerprint)) {
                return new Result(target, true, old.counts());
            }
        } else if (Files.exists(target) && !FileTrees.isEmptyDirectory(target)) {
            throw new DataException(target + ": is not a nano world and not empty; name another folder or remove it");
        }
        Path part = beside(target, "part");
        Path old = beside(target, "old");
        FileTrees.delete(part);
        FileTrees.delete(old);
        Map<String, Integer> counts = writeAll(part, threads);
        writeManifest(part.resolve(MANIFEST), new Manifest(fingerprint, counts));
        if (Files.exists(target)) {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        FileTrees.delete(old);
        return new Result(target, false, counts);
    }

    private static Path beside(Path target, String role) {
        return target.resolveSibling("." + target.getFileName() + "." + role);
    }

    private Map<String, Integer> writeAll(Path root, int threads) throws IOException {
        Map<String, Integer> counts = new LinkedHashMap<>();
        NanoRecords records = new NanoRecords(sprites, options);
        int total = options.stage1() + options.stage2() + options.validationImages() + options.evaluationImages();
        // Platform threads: the work is computing, not waiting.
        try (ExecutorService workers = Executors.newFixedThreadPool(Math.max(1, threads))) {
            Steps steps = new Steps(workers, total);
            counts.put("stage1", writeRecords(root, "stage1.json", steps, options.stage1(), i -> records.stage1(i)));
            counts.put("stage2", writeRecords(root, "stage2.json", steps, options.stage2(), i -> records.stage2(i)));
            Drawings drawings = sprites.drawings();
            writeSplit(root, "validation", drawings.trainingSets(), options.validationImages(), steps, counts);
            writeSplit(root, "eval", drawings.heldOutSets(), options.evaluationImages(), steps, counts);
        }
        return counts;
    }

    private int writeRecords(Path root, String file, Steps steps, int count, IntFunction<NanoRecords.Sample> samples)
            throws IOException {
        Files.createDirectories(root);
        Path images = root.resolve("images");
        List<LlavaRecord> records = steps.run(count, i -> {
            NanoRecords.Sample sample = samples.apply(i);
            if (sample.scene() != null && sample.record().image() != null) {
                writePicture(sample.scene(), images.resolve(sample.record().image()));
            }
            return sample.record();
        });
        try (BufferedWriter out = Files.newBufferedWriter(root.resolve(file))) {
            String separator = "[\n";
            for (LlavaRecord record : records) {
                out.write(separator);
                out.write(new String(LlavaWriter.json(record), StandardCharsets.UTF_8));
                separator = ",\n";
            }
            out.write(records.isEmpty() ? "[]\n" : "\n]\n");
        }
        return records.size();
    }

    private void writeSplit(
            Path root, String name, List<String> sets, int count, Steps steps, Map<String, Integer> counts)
            throws IOException {
        NanoSplit split = new NanoSplit(name, sprites, sets, count, options);
        Path folder = root.resolve(name);
        Files.createDirectories(folder.resolve("images"));
        steps.run(count, i -> {
            writePicture(split.scenes().get(i), folder.resolve("images").resolve(NanoSplit.fileName(i)));
            return i;
        });
        NanoSplit.Vqa vqa = split.vqa(options.questionsPerImage(), options.questions());
        writeJson(folder.resolve("vqa_questions.json"), vqa.questions());
        writeJson(folder.resolve("vqa_annotations.json"), vqa.annotations());
        writeJson(folder.resolve("instances.json"), split.instances());
        writeJson(folder.resolve("captions.json"), split.captions());
        counts.put(name + "/images", count);
        NanoSplit.countByKind(vqa).forEach((kind, number) -> counts.put(name + "/questions/" + kind, number));
    }

    private void writePicture(Scene scene, Path file) {
        try {
            Files.createDirectories(file.getParent());
            PictureFiles.write(SceneRenderer.render(scene, options.imageSize()), file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs work in chunks on all workers and gives the results back in order. */
    private final class Steps {
        private final ExecutorService workers;
        private final int total;
        private int done;

        Steps(ExecutorService workers, int total) {
            this.workers = workers;
            this.total = total;
        }

        <T> List<T> run(int count, IntFunction<T> work) {
            List<Future<List<T>>> chunks = new ArrayList<>();
            for (int start = 0; start < count; start += CHUNK) {
                int first = start;
                int end = Math.min(count, start + CHUNK);
                chunks.add(workers.submit(() -> {
                    List<T> results = new ArrayList<>();
                    for (int i = first; i < end; i++) {
                        results.add(work.apply(i));
                    }
                    return results;
                }));
            }
            List<T> all = new ArrayList<>();
            try {
                for (Future<List<T>> chunk : chunks) {
                    List<T> results = chunk.get();
                    all.addAll(results);
                    done += results.size();
                    progress.update(done, total);
                }
            } catch (InterruptedException e) {
                workers.shutdownNow();
                Thread.currentThread().interrupt();
                throw new DataException("writing the nano world was interrupted; run it again", e);
            } catch (ExecutionException e) {
                workers.shutdownNow();
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new IllegalStateException(e.getCause());
            }
            return all;
        }
    }

    /** The part of the manifest that is read back. */
    private record Manifest(String fingerprint, Map<String, Integer> counts) {}

    private static Manifest readManifest(Path file) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        try {
            JsonNode json = JSON.readTree(file);
            json.path("counts")
                    .properties()
                    .forEach(
                            count -> counts.put(count.getKey(), count.getValue().asInt()));
            return new Manifest(json.path("fingerprint").asString(""), counts);
        } catch (JacksonException e) {
            throw new DataException(file + ": is no manifest of a nano world; remove the folder", e);
        }
    }

    private void writeManifest(Path file, Manifest manifest) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("version", VERSION);
        json.put("fingerprint", manifest.fingerprint());
        json.put("options", options);
        json.put("training_sets", sprites.drawings().trainingSets());
        json.put("held_out_sets", sprites.drawings().heldOutSets());
        json.put("categories", sprites.drawings().categories().size());
        json.put("counts", manifest.counts());
        Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void writeJson(Path file, Map<String, Object> json) throws IOException {
        Files.writeString(file, JSON.writeValueAsString(json) + "\n");
    }
}
