package io.llava4j.eval.score;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files of a benchmark: the files named one by one come first, then those of its folder.
 *
 * @param patterns what the files are called
 * @param folder where files are searched; null to use named files only
 * @param named files given by role; they take precedence over files of the folder
 */
public record BenchmarkFiles(
        BenchmarkFilePatterns patterns, @Nullable Path folder, Map<FileRole, Path> named) {
    /** The files of a folder. */
    public static BenchmarkFiles in(Path folder, BenchmarkFilePatterns patterns) {
        return new BenchmarkFiles(patterns, folder, Map.of());
    }

    /**
     * The file of a role.
     *
     * @throws DataException if the file was not named and the folder holds none or several that match
     */
    public Path require(FileRole role) {
        Path found = find(role);
        if (found == null) {
            String names = String.join(" or ", patterns.byRole().getOrDefault(role, List.of()));
            throw new DataException(
                    folder == null
                            ? "the %s are missing; name the file, or a folder that holds it as %s"
                                    .formatted(role.label(), names)
                            : "%s: has no %s, which are looked for as %s".formatted(folder, role.label(), names));
        }
        return found;
    }

    /**
     * The file of a role, or null.
     *
     * @throws DataException if the folder holds several files that match
     */
    public @Nullable Path find(FileRole role) {
        Path file = named.get(role);
        if (file != null || folder == null) {
            return file;
        }
        for (String pattern : patterns.byRole().getOrDefault(role, List.of())) {
            List<Path> found = matches(folder, pattern);
            if (found.size() > 1) {
                throw new DataException("%s: several files could be the %s: %s; name the one that is meant"
                        .formatted(folder, role.label(), found));
            }
            if (!found.isEmpty()) {
                return found.getFirst();
            }
        }
        return null;
    }

    /** Whether the folder holds the files that identify this benchmark. */
    public boolean recognised() {
        for (FileRole role : patterns.identifyingRoles()) {
            boolean present = false;
            for (String pattern : patterns.byRole().getOrDefault(role, List.of())) {
                present |= folder != null && !matches(folder, pattern).isEmpty();
            }
            if (!present) {
                return false;
            }
        }
        return true;
    }

    /** Whether the folder holds questions, with or without their answers. */
    public boolean hasQuestions() {
        return find(FileRole.QUESTIONS) != null || find(FileRole.ANNOTATIONS) != null;
    }

    /** Files of a folder that match a pattern, sorted by name; none where the folder does not exist. */
    public static List<Path> matches(Path folder, String pattern) {
        int slash = pattern.lastIndexOf('/');
        Path parent = slash < 0 ? folder : folder.resolve(pattern.substring(0, slash));
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(parent, pattern.substring(slash + 1))) {
            files.forEach(found::add);
        } catch (IOException e) {
            throw new DataException("%s: cannot be listed (%s)".formatted(parent, e.getMessage()), e);
        }
        found.sort(null);
        return found;
    }
}
