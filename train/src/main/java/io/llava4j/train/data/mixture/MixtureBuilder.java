package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.AtomicFiles;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.recipe.RecipeLoader;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Builds a mixture in a folder: the data file, {@code manifest.json}, the datasheet {@code README.md} and
 * {@code left-out.jsonl}, the list of all that was left out. Sources are read at the same time, each by one thread; the
 * same recipe and raw files give the same bytes whatever the number of threads. Finished sources are kept in
 * {@code .build} until all are done, so that a build that was stopped goes on where it was.
 */
public final class MixtureBuilder {
    /** Raised when the same recipe and raw files give other bytes than before. */
    private static final int VERSION = 1;

    private static final String MANIFEST = "manifest.json";
    private static final long POLL_MILLIS = 200;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final MixtureRecipe recipe;
    private final Path folder;
    private final Path work;
    private final Options options;
    private final LongAdder bytesDone = new LongAdder();

    /** Forms of the data file. */
    public enum Format {
        /** One array. */
        JSON,
        /** A record a line. */
        JSONL;

        String ending() {
            return this == JSON ? ".json" : ".jsonl";
        }
    }

    /**
     * How to build; none of it but the format changes what is built.
     *
     * @param format of the data file
     * @param threads sources that are read at the same time
     * @param progress told how many of the raw files' bytes were read, from the calling thread
     * @param stop asked again and again; true stops the build
     */
    public record Options(Format format, int threads, Progress progress, BooleanSupplier stop) {}

    /** Told about progress. */
    @FunctionalInterface
    public interface Progress {
        /**
         * @param done bytes
         * @param total bytes of all raw files
         */
        void update(long done, long total);
    }

    /**
     * A mixture on disk.
     *
     * @param manifest what it is made of
     * @param reused whether it was there already
     */
    public record Result(Manifest manifest, boolean reused) {}

    /** Thrown into a source's reading to end it; what it has made so far is given up. */
    private static final class Stopped extends LlavaException {
        Stopped() {
            super("the build was stopped; the same command goes on with the sources that are not done yet");
        }
    }

    /** A source that is built, and by what one knows that it is still the same. */
    private record Built(String key, SourceReport report) {}

    private MixtureBuilder(MixtureRecipe recipe, Path folder, Options options) {
        this.recipe = recipe;
        this.folder = folder;
        this.work = folder.resolve(".build");
        this.options = options;
    }

    /**
     * Builds a mixture, or keeps the one that is there if nothing it depends on has changed.
     *
     * @param recipe what to build
     * @param folder where to; made if missing
     * @return empty if it was stopped
     * @throws ConfigException if a rule lacks what it needs
     * @throws DataException naming file and record, if a raw file cannot be used
     */
    public static Optional<Result> build(MixtureRecipe recipe, Path folder, Options options) {
        try {
            return Optional.of(new MixtureBuilder(recipe, folder, options).build());
        } catch (Stopped e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new DataException("the mixture in %s cannot be written: %s".formatted(folder, e.getMessage()), e);
        }
    }

    private Result build() throws IOException {
        List<String> names = recipe.sources().entrySet().stream()
                .filter(entry -> entry.getValue().include())
                .map(Map.Entry::getKey)
                .toList();
        requireInputs(names);
        String key = hash(VERSION + recipe.name() + recipe.shuffle() + options.format() + sourceKeys(names));
        Path manifestFile = folder.resolve(MANIFEST);
        Optional<Manifest> old = finished(manifestFile, key);
        if (old.isPresent()) {
            return new Result(old.get(), true);
        }
        Files.createDirectories(work);
        List<SourceReport> reports = buildSources(names);
        Manifest manifest = assemble(reports);
        writeLeftOut(names);
        AtomicFiles.write(folder.resolve("README.md"), Datasheet.of(manifest).getBytes(StandardCharsets.UTF_8));
        AtomicFiles.write(manifestFile, pretty(new Finished(key, manifest)).getBytes(StandardCharsets.UTF_8));
        deleteWork();
        return new Result(manifest, false);
    }

    /** The manifest's file: the manifest, and by what one knows that nothing has changed since. */
    private record Finished(String key, Manifest manifest) {}

    private static String pretty(Object value) {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n";
    }

    private Optional<Manifest> finished(Path file, String key) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            Finished finished = JSON.readValue(file, Finished.class);
            Path data = folder.resolve(finished.manifest().file());
            return finished.key().equals(key)
                            && Files.isRegularFile(data)
                            && Files.size(data) == finished.manifest().bytes()
                    ? Optional.of(finished.manifest())
                    : Optional.empty();
        } catch (IOException | JacksonException e) {
            return Optional.empty(); // damaged or of another version: built anew
        }
    }

    private void requireInputs(List<String> names) throws IOException {
        for (String name : names) {
            MixtureRecipe.Source source = source(name);
            for (Map.Entry<String, Path> file : source.files().entrySet()) {
                Path path = recipe.file(file.getValue());
                if (!Files.isRegularFile(path)) {
                    throw new DataException(
                            "%s does not exist; it is file %s of source %s: fetch it (docs/data.md tells where), or leave the source out with --set sources.%s.include=false"
                                    .formatted(path, file.getKey(), name, name));
                }
            }
            if (recipe.rulesOf(name).limit(Rule.MOST_TOKENS) > 0 && recipe.tokenizer() == null) {
                throw new ConfigException(
                        "tokenizer is missing; name the tokenizer that counts the tokens of source %s, or set %s.most-tokens to 0"
                                .formatted(name, name));
            }
        }
        Path images = recipe.images();
        if (images != null && !Files.isDirectory(images)) {
            throw new DataException(
                    "image folder %s does not exist; correct images, or leave it out".formatted(images));
        }
    }

    private List<SourceReport> buildSources(List<String> names) throws IOException {
        long total = 0;
        for (String name : names) {
            total += bytes(name);
        }
        Map<String, Future<SourceReport>> running = new LinkedHashMap<>();
        @Nullable SentencePieceTokenizer tokenizer = tokenizer(names);
        // Platform threads: the work is computing. The largest source first, so that none is left alone at the end.
        ExecutorService workers = Executors.newFixedThreadPool(
                Math.max(1, options.threads()),
                Thread.ofPlatform().daemon().name("mixture-", 0).factory());
        try {
            List<String> largestFirst = new ArrayList<>(names);
            List<Long> sizes = new ArrayList<>();
            for (String name : names) {
                sizes.add(bytes(name));
            }
            largestFirst.sort(Comparator.comparingLong((String name) -> sizes.get(names.indexOf(name)))
                    .reversed());
            largestFirst.forEach(name -> running.put(name, workers.submit(() -> buildSource(name, tokenizer))));
            List<SourceReport> reports = new ArrayList<>();
            for (String name : names) {
                reports.add(await(Objects.requireNonNull(running.get(name)), total));
            }
            options.progress().update(total, total);
            return reports;
        } finally {
            workers.shutdownNow();
        }
    }

    private SourceReport await(Future<SourceReport> future, long total) {
        while (true) {
            try {
                return future.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // Some files are read twice.
                options.progress().update(Math.min(total, bytesDone.sum()), total);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Stopped();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new DataException("a source cannot be built: %s".formatted(e.getCause()), e.getCause());
            }
        }
    }

    private SourceReport buildSource(String name, @Nullable SentencePieceTokenizer tokenizer) throws IOException {
        String key = sourceKey(name);
        Path done = work.resolve(name + ".done");
        if (Files.isRegularFile(done)) {
            try {
                Built built = JSON.readValue(done, Built.class);
                if (built.key().equals(key)) {
                    bytesDone.add(bytes(name));
                    return built.report();
                }
            } catch (JacksonException e) {
                Files.delete(done);
            }
        }
        Files.deleteIfExists(done);
        SourceReport report = new SourceBuild(recipe, name, work, tokenizer).run(count -> {
            bytesDone.add(count);
            if (options.stop().getAsBoolean() || Thread.currentThread().isInterrupted()) {
                throw new Stopped();
            }
        });
        AtomicFiles.write(done, JSON.writeValueAsBytes(new Built(key, report)));
        return report;
    }

    private @Nullable SentencePieceTokenizer tokenizer(List<String> names) {
        boolean counts = names.stream().anyMatch(name -> recipe.rulesOf(name).limit(Rule.MOST_TOKENS) > 0);
        return counts && recipe.tokenizer() != null ? SentencePieceTokenizer.load(recipe.tokenizer()) : null;
    }

    /** A record of a source: where it lies, and what it is ordered by. */
    private record Place(int source, int record, long order) {}

    private Manifest assemble(List<SourceReport> reports) throws IOException {
        List<Spool> spools = new ArrayList<>();
        try {
            List<Place> places = new ArrayList<>();
            List<SourceReport> sampled = new ArrayList<>();
            int textOnly = 0;
            long pairs = 0;
            for (int i = 0; i < reports.size(); i++) {
                SourceReport report = reports.get(i);
                Spool spool = Spool.open(work, report.name());
                spools.add(spool);
                List<Place> own = sample(spool, i, recipe.rulesOf(report.name()).limit(Rule.SAMPLE));
                places.addAll(own);
                long itsPairs =
                        own.stream().mapToLong(p -> spool.pairs(p.record())).sum();
                sampled.add(afterSampling(report, own.size(), itsPairs));
                textOnly += (int)
                        own.stream().filter(p -> !spool.hasImage(p.record())).count();
                pairs += itsPairs;
            }
            if (places.isEmpty()) {
                throw new DataException("no record is left of all sources; see %s".formatted(work));
            }
            if (recipe.shuffle()) {
                places.sort(Comparator.comparingLong(Place::order));
            }
            Path file = folder.resolve(recipe.name() + options.format().ending());
            String sha256 = write(file, places, spools);
            return new Manifest(
                    recipe.name(),
                    VERSION,
                    recipe.seed(),
                    recipe.shuffle(),
                    hash(new RecipeLoader().toYaml(recipe)),
                    file.getFileName().toString(),
                    Files.size(file),
                    sha256,
                    places.size(),
                    textOnly,
                    pairs,
                    sampled);
        } finally {
            for (Spool spool : spools) {
                spool.close();
            }
        }
    }

    private static SourceReport afterSampling(SourceReport report, int records, long pairs) {
        SortedMap<String, Integer> leftOut = new TreeMap<>(report.leftOut());
        if (records < report.records()) {
            leftOut.put(Rule.SAMPLE.key(), report.records() - records);
        }
        return new SourceReport(
                report.name(),
                report.kind(),
                report.licence(),
                report.paper(),
                report.expected(),
                report.files(),
                report.rules(),
                report.imagesChecked(),
                report.items(),
                records,
                pairs,
                leftOut);
    }

    /** The records of a source in its order; of too many those that come first by a random number of their own. */
    private static List<Place> sample(Spool spool, int source, int most) {
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < spool.size(); i++) {
            places.add(new Place(source, i, Seeds.mix(spool.key(i))));
        }
        if (most == 0 || places.size() <= most) {
            return places;
        }
        List<Place> drawn = new ArrayList<>(places);
        // Another number than the order's, or a sample would always come first.
        drawn.sort(Comparator.comparingLong(place -> Seeds.mix(~spool.key(place.record()))));
        List<Place> kept = new ArrayList<>(drawn.subList(0, most));
        kept.sort(Comparator.comparingInt(Place::record));
        return kept;
    }

    private String write(Path file, List<Place> places, List<Spool> spools) {
        MessageDigest digest = sha256();
        boolean array = options.format() == Format.JSON;
        AtomicFiles.write(file, channel -> {
            OutputStream out = new BufferedOutputStream(
                    new DigestOutputStream(Channels.newOutputStream(channel), digest), 1 << 18);
            byte[] between = (array ? ",\n" : "\n").getBytes(StandardCharsets.UTF_8);
            if (array) {
                out.write('[');
            }
            for (int i = 0; i < places.size(); i++) {
                if (options.stop().getAsBoolean()) {
                    throw new Stopped();
                }
                if (i > 0) {
                    out.write(between);
                }
                out.write(spools.get(places.get(i).source()).bytes(places.get(i).record()));
            }
            out.write((array ? "]\n" : "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    private void writeLeftOut(List<String> names) {
        AtomicFiles.write(folder.resolve("left-out.jsonl"), channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
            for (String name : names) {
                Files.copy(SourceBuild.leftOutFile(work, name), out);
            }
            out.flush();
        });
    }

    private void deleteWork() throws IOException {
        try (var files = Files.list(work)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(work);
    }

    private MixtureRecipe.Source source(String name) {
        return Objects.requireNonNull(recipe.sources().get(name));
    }

    private long bytes(String name) throws IOException {
        long bytes = 0;
        for (Path file : source(name).files().values()) {
            bytes += Files.size(recipe.file(file));
        }
        return bytes;
    }

    private String sourceKeys(List<String> names) throws IOException {
        StringBuilder keys = new StringBuilder();
        for (String name : names) {
            keys.append(sourceKey(name)).append(recipe.rulesOf(name).limit(Rule.SAMPLE));
        }
        return keys.toString();
    }

    /** A hash of all that a source's records depend on; raw files by size and time. */
    private String sourceKey(String name) throws IOException {
        StringBuilder all = new StringBuilder();
        all.append(VERSION).append(recipe.seed()).append(name).append(source(name));
        all.append(recipe.rulesOf(name).asMap()).append(recipe.badRecords()).append(recipe.images());
        for (Path file : source(name).files().values()) {
            append(all, recipe.file(file));
        }
        Path tokenizer = recipe.tokenizer();
        if (tokenizer != null && recipe.rulesOf(name).limit(Rule.MOST_TOKENS) > 0) {
            append(
                    all,
                    Files.isDirectory(tokenizer) ? tokenizer.resolve(SentencePieceTokenizer.MODEL_FILE) : tokenizer);
        }
        return hash(all.toString());
    }

    private static void append(StringBuilder all, Path file) throws IOException {
        try {
            all.append(file)
                    .append(Files.size(file))
                    .append(Files.getLastModifiedTime(file).toMillis());
        } catch (NoSuchFileException e) {
            throw new DataException(file + " does not exist; fetch it or correct the path", e);
        }
    }

    private static String hash(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
