package io.llava4j.app.store;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.huggingface.KnownTowers;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.io.Progress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Pulls a repository into the store: lists its files, downloads those that a model needs, checks their hashes, pulls the
 * vision tower that a model names but does not hold, and lets the model appear when all of it is there.
 */
public final class Pull {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final ModelStore store;
    private final Hub hub;
    private final Progress.Display display;
    private final Consumer<String> log;
    private final Duration pause;

    /**
     * @param display of the megabytes that are there
     * @param log receives sentences about what happens
     */
    public Pull(ModelStore store, Hub hub, Progress.Display display, Consumer<String> log) {
        this(store, hub, display, log, PAUSE);
    }

    Pull(ModelStore store, Hub hub, Progress.Display display, Consumer<String> log, Duration pause) {
        this.store = store;
        this.hub = hub;
        this.display = display;
        this.log = log;
        this.pause = pause;
    }

    /**
     * Pulls a model, or brings it up to date.
     *
     * @param files to pull instead of the repository's own weights; empty for these
     * @throws LlavaException if it cannot be pulled; what was downloaded stays for another attempt
     */
    public StoredModel model(RepoName repo, List<String> files) {
        return pull(repo, files, false);
    }

    private StoredModel pull(RepoName repo, List<String> named, boolean asTower) {
        Hub.Listing listing = hub.list(repo);
        List<HubFile> files = NeededFiles.of(repo, listing.files(), named);
        Optional<StoredModel> old =
                store.find(repo).filter(model -> model.repo().folder().equals(repo.folder()));
        if (old.isPresent() && isUpToDate(old.get(), listing, files)) {
            log.accept("%s is up to date".formatted(repo));
            return old.get();
        }
        Path partial = store.partial(repo, listing.commit());
        create(partial);
        try (FileChannel channel = FileChannel.open(
                        partial.resolveSibling(partial.getFileName() + ".lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            if (lock == null) {
                throw new LlavaException("another process is pulling %s; wait for it".formatted(repo));
            }
            old.ifPresent(model -> reuse(model, partial, files));
            requireSpace(partial, files);
            downloadChecked(repo, listing, files, partial);
            RepoName tower = tower(repo, partial);
            boolean staysTower = asTower && old.map(StoredModel::asTower).orElse(true);
            StoredModel model = new StoredModel(
                    repo,
                    store.folder(repo),
                    listing.commit(),
                    Clock.systemUTC().instant(),
                    ModelStore.bytes(partial),
                    tower,
                    staysTower);
            AtomicFiles.write(partial.resolve(StoredModel.FILE), model.json());
            replace(partial, model.folder());
            return model;
        } catch (IOException e) {
            throw FileErrors.cannotWrite(partial, e);
        }
    }

    private static boolean isUpToDate(StoredModel model, Hub.Listing listing, List<HubFile> files) {
        return model.commit().equals(listing.commit())
                && files.stream().allMatch(file -> Files.exists(model.folder().resolve(file.name())));
    }

    private static void create(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw FileErrors.cannotWrite(folder, e);
        }
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // in this process
        }
    }

    /** Takes over files that an older commit had with the same content; the download's check of their hashes follows. */
    private static void reuse(StoredModel old, Path partial, List<HubFile> files) {
        for (HubFile file : files) {
            Path before = old.folder().resolve(file.name());
            Path part = partial.resolve(file.name() + ".part");
            try {
                if (Files.exists(before) && Files.size(before) == file.size() && Download.present(partial, file) == 0) {
                    Files.createLink(part, before);
                }
            } catch (IOException | UnsupportedOperationException e) {
                // The file system has no links: the file is downloaded.
            }
        }
    }

    private void requireSpace(Path partial, List<HubFile> files) throws IOException {
        long missing = files.stream()
                .mapToLong(file -> Math.max(0, file.size() - Download.present(partial, file)))
                .sum();
        long free = Files.getFileStore(partial).getUsableSpace();
        if (missing > free) {
            throw new LlavaException("%s needs %s more and has %s free; free some space, or name another folder with %s"
                    .formatted(store.folder(), megabytes(missing), megabytes(free), ModelStore.VARIABLE));
        }
    }

    private void downloadChecked(RepoName repo, Hub.Listing listing, List<HubFile> files, Path partial) {
        long total = files.stream().mapToLong(file -> Math.max(0, file.size())).sum();
        Download download = new Download(hub, repo, listing.commit(), pause);
        long done = 0;
        boolean checked = false;
        try (Progress.Shown shown = display.open("pulling " + repo, "MB")) {
            for (HubFile file : files) {
                long before = done;
                if (!checked && NeededFiles.isWeights(file)) {
                    requireKnown(repo, partial);
                    checked = true;
                }
                shown.update((before + Download.present(partial, file)) / 1_000_000, total / 1_000_000);
                download.get(partial, file, bytes -> shown.update((before + bytes) / 1_000_000, total / 1_000_000));
                done += Math.max(0, file.size());
            }
            shown.update(total / 1_000_000, total / 1_000_000);
        }
        long unchecked = files.stream()
                .filter(file -> file.sha256() == null && file.gitBlob() == null)
                .count();
        if (unchecked > 0) {
            log.accept("warning: %s gives no hash of %d files; only their sizes were checked"
                    .formatted(hub.address(), unchecked));
        }
    }

    /** Stops before gigabytes of a model come that llava4j cannot compute. */
    private static void requireKnown(RepoName repo, Path partial) {
        if (!Files.exists(partial.resolve(ModelConfigs.FILE))) {
            return;
        }
        try {
            Optional<String> tower = ModelConfigs.towerName(partial);
            if (tower.isEmpty() || KnownTowers.shape(tower.get()).isPresent()) {
                ModelConfigs.read(partial, KnownTowers::shape);
            }
        } catch (ConfigException e) {
            throw new ConfigException("%s is no model that llava4j can use: %s"
                    .formatted(repo, String.valueOf(e.getMessage()).replace(partial + "/", "")));
        }
    }

    /** Pulls the tower that a model needs besides itself, and links to it where the configuration looks for it. */
    private @Nullable RepoName tower(RepoName repo, Path partial) {
        Optional<RepoName> named = Files.exists(partial.resolve(ModelConfigs.FILE))
                ? ModelConfigs.towerName(partial).flatMap(RepoName::parse)
                : Optional.empty();
        if (named.isEmpty() || Files.exists(partial.resolve("adapter_config.json")) || opens(partial)) {
            return null;
        }
        RepoName tower = named.get();
        log.accept("%s holds no vision tower; pulling the one that it names, %s".formatted(repo, tower));
        StoredModel pulled = pull(tower, List.of(), true);
        Path link = partial.resolve(tower.owner()).resolve(tower.folder());
        create(Objects.requireNonNull(link.getParent()));
        try {
            Files.deleteIfExists(link);
            Files.createSymbolicLink(
                    link, Path.of("..", "..", "..").resolve(store.folder().relativize(pulled.folder())));
        } catch (IOException e) {
            throw FileErrors.cannotWrite(link, e);
        }
        return tower;
    }

    private static boolean opens(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return true;
        } catch (CheckpointException | ConfigException e) {
            return false;
        }
    }

    private void replace(Path partial, Path folder) throws IOException {
        create(Objects.requireNonNull(folder.getParent()));
        Path old = partial.resolveSibling(partial.getFileName() + ".old");
        AtomicFiles.deleteDirectory(old);
        if (Files.exists(folder)) {
            Files.move(folder, old, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(partial, folder, StandardCopyOption.ATOMIC_MOVE);
        AtomicFiles.deleteDirectory(old);
        Files.deleteIfExists(partial.resolveSibling(partial.getFileName() + ".lock"));
    }

    private static String megabytes(long bytes) {
        return "%,d MB".formatted((bytes + 999_999) / 1_000_000);
    }
}
