package io.llava4j.eval;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds the files of a benchmark, whose names differ by split and year. */
final class BenchmarkFolder {
    private BenchmarkFolder() {}

    /**
     * The only file that matches a pattern.
     *
     * @param pattern as in a shell
     * @throws DataException if none or several do
     */
    static Path only(Path folder, String pattern) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
            files.forEach(found::add);
        } catch (IOException e) {
            throw new DataException("%s: cannot be listed (%s)".formatted(folder, e.getMessage()), e);
        }
        if (found.size() != 1) {
            throw new DataException("%s: needs exactly one file named like %s, found %s"
                    .formatted(folder, pattern, found.isEmpty() ? "none" : found));
        }
        return found.getFirst();
    }
}
