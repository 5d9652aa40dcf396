package io.llava4j.app.store;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The pulled models of this user: {@code OWNER/NAME} holds the files of a repository, {@code OWNER/NAME@REVISION} those of
 * a revision other than main, {@code .partial} what is being downloaded.
 */
public final class ModelStore {
    /** Variable that names the folder. */
    public static final String VARIABLE = "LLAVA_MODELS";

    private static final String PARTIAL = ".partial";

    private final Path folder;

    /** @param folder need not exist yet */
    public ModelStore(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /** The store that the environment names: {@code LLAVA_MODELS}, else a folder of the user's data (XDG). */
    public static ModelStore of(Map<String, String> environment) {
        String named = environment.getOrDefault(VARIABLE, "");
        if (!named.isBlank()) {
            return new ModelStore(Path.of(named));
        }
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        String user = environment.getOrDefault("HOME", System.getProperty("user.home"));
        Path home = data.startsWith("/") ? Path.of(data) : Path.of(user, ".local", "share");
        return new ModelStore(home.resolve("llava4j").resolve("models"));
    }

    /** Where the models lie. */
    public Path folder() {
        return folder;
    }

    /** Where a model lies or would lie. */
    Path folder(RepoName repo) {
        return folder.resolve(repo.owner()).resolve(repo.folder());
    }

    /** Where a commit is downloaded to; as deep as {@link #folder(RepoName)}, so that relative links fit both. */
    Path partial(RepoName repo, String commit) {
        return folder.resolve(PARTIAL).resolve(partialPrefix(repo) + commit);
    }

    private static String partialPrefix(RepoName repo) {
        return repo.owner() + "--" + repo.folder() + "--";
    }

    /** All models, the newest first. */
    public List<StoredModel> all() {
        List<StoredModel> models = new ArrayList<>();
        for (Path owner : foldersIn(folder)) {
            for (Path each : foldersIn(owner)) {
                if (Files.exists(each.resolve(StoredModel.FILE))) {
                    RepoName.ofFolder(name(owner), name(each))
                            .ifPresent(repo -> models.add(StoredModel.read(repo, each)));
                }
            }
        }
        models.sort(Comparator.comparing(StoredModel::pulled).reversed());
        return models;
    }

    /** Names of downloads that were not finished, with the bytes that they hold. */
    public Map<String, Long> unfinished() {
        Map<String, Long> found = new java.util.TreeMap<>();
        for (Path each : foldersIn(folder.resolve(PARTIAL))) {
            String[] parts = name(each).split("--", 2);
            int end = parts.length < 2 ? -1 : parts[1].lastIndexOf("--");
            if (end > 0) {
                RepoName.ofFolder(parts[0], parts[1].substring(0, end))
                        .ifPresent(repo -> found.merge(repo.toString(), bytes(each), Long::sum));
            }
        }
        return found;
    }

    /** The model of this name; without a revision the one of main, else the newest. */
    public Optional<StoredModel> find(RepoName repo) {
        List<StoredModel> candidates = all().stream()
                .filter(model -> model.repo().repository().equals(repo.repository()))
                .toList();
        Optional<StoredModel> exact = candidates.stream()
                .filter(model -> model.repo().revisionOrMain().equals(repo.revisionOrMain()))
                .findFirst();
        return exact.isPresent() || repo.revision() != null
                ? exact
                : candidates.stream().findFirst();
    }

    /** The newest model that can answer: a whole one, and no tower or language model alone. */
    public Optional<StoredModel> newest() {
        return all().stream().filter(ModelStore::isWhole).findFirst();
    }

    private static boolean isWhole(StoredModel model) {
        try (Checkpoint checkpoint = Checkpoint.open(model.folder())) {
            return checkpoint.kind() instanceof ModelKind.Llava;
        } catch (LlavaException e) {
            return false;
        }
    }

    /**
     * Removes a model, a tower that only it needs, and unfinished downloads of it.
     *
     * @return the bytes freed
     * @throws ConfigException if there is no such model, or others need it as their tower
     */
    public long remove(RepoName repo) {
        long freed = removeUnfinished(repo);
        Optional<StoredModel> found = find(repo);
        if (found.isEmpty()) {
            if (freed == 0) {
                throw new ConfigException(
                        "no model %s was pulled; 'llava models' lists those that were".formatted(repo));
            }
            return freed;
        }
        StoredModel model = found.get();
        users(model.repo()).stream().findFirst().ifPresent(user -> {
            throw new ConfigException(
                    "%s is the vision tower of %s; remove that first".formatted(model.repo(), user.repo()));
        });
        AtomicFiles.deleteDirectory(model.folder());
        freed += model.bytes();
        RepoName tower = model.tower();
        if (tower != null
                && users(tower).isEmpty()
                && find(tower).filter(StoredModel::asTower).isPresent()) {
            freed += remove(tower);
        }
        deleteIfEmpty(Objects.requireNonNull(model.folder().getParent()));
        return freed;
    }

    private List<StoredModel> users(RepoName tower) {
        return all().stream()
                .filter(each ->
                        each.tower() != null && each.tower().repository().equals(tower.repository()))
                .toList();
    }

    private long removeUnfinished(RepoName repo) {
        long freed = 0;
        for (Path each : foldersIn(folder.resolve(PARTIAL))) {
            if (name(each).startsWith(partialPrefix(repo))) {
                freed += bytes(each);
                AtomicFiles.deleteDirectory(each);
            }
        }
        return freed;
    }

    private static void deleteIfEmpty(Path owner) {
        try (Stream<Path> entries = Files.list(owner)) {
            if (entries.findAny().isPresent()) {
                return;
            }
        } catch (IOException e) {
            throw FileErrors.cannotRead(owner, e);
        }
        AtomicFiles.deleteDirectory(owner);
    }

    /** Bytes of the files in a folder. */
    static long bytes(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException e) {
            throw FileErrors.cannotRead(folder, e);
        }
    }

    private static List<Path> foldersIn(Path parent) {
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(parent)) {
            return entries.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw FileErrors.cannotRead(parent, e);
        }
    }

    private static String name(Path path) {
        return Objects.requireNonNull(path.getFileName()).toString();
    }
}
