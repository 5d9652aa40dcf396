package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The project's folder with its recipes and shipped models. */
final class Home {
    private Home() {}

    /**
     * The folder that the launcher set, or the working directory.
     *
     * @throws ConfigException if it holds no recipes
     */
    static Path directory() {
        String named = System.getProperty("llava.home");
        Path home = named == null ? Path.of("") : Path.of(named);
        if (!Files.isDirectory(home.resolve("recipes"))) {
            throw new ConfigException("the folder " + home.toAbsolutePath()
                    + " has no recipes; start llava with its launcher, or set -Dllava.home to the project's folder");
        }
        return home;
    }
}
