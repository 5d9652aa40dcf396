package io.llava4j.train.data.format;

import io.llava4j.io.Quote;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the file that a path which names none was probably meant to name. Folders are listed once. Safe for use by many
 * threads.
 */
final class SimilarFiles {
    /** A folder with more entries is not listed: that would cost more than the hint is worth. */
    private static final int MAX_LISTED = 1_000_000;

    private final @Nullable Path root;
    private final Map<Path, Folder> folders = new ConcurrentHashMap<>();

    /** Names in a folder, by their folded form, and by that without the extension of an image. */
    private record Folder(Map<String, String> byName, Map<String, String> byStem) {
        private static final Folder EMPTY = new Folder(Map.of(), Map.of());
    }

    /** A file below the folder; {@code omitted} and {@code added} are the folders too many in the path and those missing from it. */
    private record Found(String path, String omitted, String added) {}

    SimilarFiles(@Nullable Path root) {
        this.root = root;
    }

    /**
     * Names the file that was probably meant, and in what its path differs: {@code there is 'a.jpg': …}.
     *
     * @param image path that names no file
     * @return null if there is no file of a similar path
     */
    @Nullable
    String to(String image) {
        String plain = decoded(image).replace('\\', '/').strip();
        Found found = root == null ? null : find(root, plain);
        if (found == null) {
            return null;
        }
        return "there is %s: %s".formatted(Quote.of(found.path()), String.join("; ", differences(image, plain, found)));
    }

    private static List<String> differences(String image, String plain, Found found) {
        List<String> differences = new ArrayList<>();
        if (!image.equals(image.strip())) {
            differences.add("remove the white space around the path");
        }
        if (image.indexOf('\\') >= 0) {
            differences.add("write / instead of \\");
        }
        if (!decoded(image).equals(image)) {
            differences.add("the path is URL-encoded, decode it");
        }
        if (!found.omitted().isEmpty()) {
            differences.add("leave out %s".formatted(Quote.of(found.omitted())));
        }
        if (!found.added().isEmpty()) {
            differences.add("write the folder %s before it".formatted(Quote.of(found.added())));
        }
        String wanted = String.join(
                "/",
                parts(
                        found.omitted().isEmpty()
                                ? plain
                                : plain.substring(found.omitted().length())));
        String actual = found.path().substring(found.added().length());
        String composed = Normalizer.normalize(wanted, Normalizer.Form.NFC);
        String composedActual = Normalizer.normalize(actual, Normalizer.Form.NFC);
        if (composed.equals(composedActual)) {
            if (!wanted.equals(actual)) {
                differences.add("its accents are encoded in another Unicode form, write NF%s"
                        .formatted(actual.equals(composedActual) ? "C" : "D"));
            }
        } else if (composed.equalsIgnoreCase(composedActual)) {
            differences.add("upper and lower case differ, write the name of the file");
        } else {
            differences.add("the ending differs, write the name of the file");
        }
        return differences.isEmpty() ? List.of("write its path") : differences;
    }

    private @Nullable Found find(Path folder, String path) {
        List<String> parts = parts(path);
        for (int from = 0; from < parts.size(); from++) {
            String found = walk(folder, parts.subList(from, parts.size()));
            if (found != null) {
                return new Found(found, from == 0 ? "" : omitted(path, parts, from), "");
            }
        }
        for (String name : new LinkedHashSet<>(listed(folder).byName().values())) {
            Path below = folder.resolve(name);
            String found = parts.isEmpty() || !Files.isDirectory(below) ? null : walk(below, parts);
            if (found != null) {
                return new Found(name + "/" + found, "", name + "/");
            }
        }
        return null;
    }

    /** The beginning of a path before one of its parts, with all slashes. */
    private static String omitted(String path, List<String> parts, int from) {
        int end = 0;
        for (int i = 0; i <= from; i++) {
            end = path.indexOf(parts.get(i), end)
                    + (i == from ? 0 : parts.get(i).length());
        }
        return path.substring(0, end);
    }

    /** The file below a folder whose path is equal but for case, Unicode form and the extension; null for none. */
    private @Nullable String walk(Path folder, List<String> parts) {
        List<String> actual = new ArrayList<>();
        Path at = folder;
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            String name =
                    Files.exists(at.resolve(part)) ? part : listed(at).byName().get(folded(part));
            if (name == null && i == parts.size() - 1) {
                name = listed(at).byStem().get(stem(folded(part)));
            }
            if (name == null) {
                return null;
            }
            at = at.resolve(name);
            actual.add(name);
        }
        return Files.isRegularFile(at) ? String.join("/", actual) : null;
    }

    private Folder listed(Path folder) {
        return folders.computeIfAbsent(folder, SimilarFiles::list);
    }

    private static Folder list(Path folder) {
        Map<String, String> byName = new TreeMap<>();
        Map<String, String> byStem = new TreeMap<>();
        try (Stream<Path> entries = Files.list(folder)) {
            Set<String> names = new LinkedHashSet<>();
            entries.limit(MAX_LISTED)
                    .forEach(entry -> names.add(entry.getFileName().toString()));
            names.stream().sorted().forEach(name -> {
                byName.putIfAbsent(folded(name), name);
                if (!stem(folded(name)).equals(folded(name))) {
                    byStem.putIfAbsent(stem(folded(name)), name);
                }
            });
        } catch (IOException e) {
            return Folder.EMPTY;
        }
        return new Folder(byName, byStem);
    }

    private static List<String> parts(String path) {
        return Stream.of(path.split("/"))
                .filter(part -> !part.isEmpty() && !part.equals(".") && !part.equals(".."))
                .toList();
    }

    private static String folded(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
    }

    /** A name without the extension of an image. */
    private static String stem(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0 && CaptionedFolder.IMAGES.contains(name.substring(dot + 1)) ? name.substring(0, dot) : name;
    }

    private static String decoded(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return path;
        }
    }
}
