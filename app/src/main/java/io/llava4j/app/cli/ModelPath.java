package io.llava4j.app.cli;

import io.llava4j.app.store.ModelStore;
import io.llava4j.app.store.RepoName;
import io.llava4j.app.store.StoredModel;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A model as the command line names it, wherever it does: a folder or a file, or the name of a repository that was pulled.
 * What exists in the file system goes first.
 */
final class ModelPath implements ITypeConverter<Path> {
    private final ModelStore store;

    /** Looks in the store that the environment names. */
    ModelPath() {
        this(ModelStore.of(System.getenv()));
    }

    ModelPath(ModelStore store) {
        this.store = store;
    }

    @Override
    public Path convert(String value) {
        Path path = found(value);
        if (!Files.exists(path) && RepoName.parse(value).isPresent()) {
            throw new TypeConversionException(
                    "there is no file or folder '%s', and no model of that name was pulled; 'llava pull %s' pulls it"
                            .formatted(value, value));
        }
        return path;
    }

    /** The name as a recipe gives it: whether it exists is checked with the rest of the recipe. */
    static String named(String value) {
        return new ModelPath().found(value).toString();
    }

    private Path found(String value) {
        Path path = Path.of(value);
        return Files.exists(path)
                ? path
                : RepoName.parse(value)
                        .flatMap(store::find)
                        .map(StoredModel::folder)
                        .orElse(path);
    }

    /** For arguments that may also name what is to be written. */
    static final class OrNew implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            return new ModelPath().found(value);
        }
    }

    /**
     * The model that is used when none is named: the newest that was pulled, else the demo's, else the nano model that is
     * shipped. Says which on {@code err}.
     *
     * @return empty if there is none of them
     */
    Optional<Path> unnamed(PrintWriter err) {
        Optional<StoredModel> pulled = store.newest();
        if (pulled.isPresent()) {
            err.printf(
                    "llava: no model is named; using %s, which was pulled last%n",
                    pulled.get().repo());
            err.flush();
            return Optional.of(pulled.get().folder());
        }
        Path home = Path.of(System.getProperty("llava.home", ""));
        Path demo = Path.of("runs", "demo", "model");
        return announced(Stream.of(demo, home.resolve(demo)), "the demo's", err)
                .or(() -> announced(
                        Stream.of(home.resolve("models").resolve("nano-plus")),
                        "the nano model shipped with llava4j",
                        err));
    }

    private static Optional<Path> announced(Stream<Path> places, String which, PrintWriter err) {
        Optional<Path> found = places.filter(Files::isDirectory).findFirst();
        found.ifPresent(path -> {
            err.printf("llava: no model is named; using %s, %s%n", which, path);
            err.flush();
        });
        return found;
    }
}
