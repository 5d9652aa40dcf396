package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model in several GGUF files, {@code NAME-00001-of-00003.gguf} and so on, as llama.cpp's gguf-split writes them
 * (docs/checkpoints.md). The first part holds the metadata; it is the one to name.
 */
final class GgufSplit {
    static final String NUMBER = "split.no";
    static final String COUNT = "split.count";
    static final String TENSORS = "split.tensors.count";

    private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    private GgufSplit() {}

    /**
     * Opens a file, with all parts if it is the first part of a split model.
     *
     * @throws CheckpointException if it is another part, or a part is missing or belongs to another model
     */
    static Gguf open(Path file) {
        List<Gguf> parts = new ArrayList<>();
        boolean opened = false;
        try {
            Gguf first = Gguf.open(file);
            parts.add(first);
            int count = first.metadata().integer(COUNT).orElse(1);
            if (count > 1) {
                requireFirst(first, count);
                for (int i = 1; i < count; i++) {
                    parts.add(part(first, i, count));
                }
                requireAllTensors(first, parts);
            }
            opened = true;
            return count > 1 ? Gguf.joined(parts) : first;
        } finally {
            if (!opened) {
                parts.forEach(Gguf::close);
            }
        }
    }

    /** Whether a file is a part of a split model other than the first. */
    static boolean isLater(Gguf file) {
        return number(file) > 0 && file.metadata().integer(COUNT).orElse(1) > 1;
    }

    /** Where the first part of a later part lies; its folder's usual place, whether there or not. */
    static Path firstOf(Gguf later) {
        return sibling(later, 0, later.metadata().integer(COUNT).orElse(1));
    }

    private static int number(Gguf file) {
        return file.metadata().integer(NUMBER).orElse(0);
    }

    private static void requireFirst(Gguf file, int count) {
        if (number(file) != 0) {
            Path first = firstOf(file);
            throw new CheckpointException("%s is part %d of %d of a split model; name the first part, %s%s"
                    .formatted(
                            file.file(),
                            number(file) + 1,
                            count,
                            first.getFileName(),
                            Files.exists(first) ? "" : ", which is not beside it yet"));
        }
    }

    private static Gguf part(Gguf first, int number, int count) {
        Path file = sibling(first, number, count);
        if (!Files.exists(file)) {
            throw new CheckpointException("%s does not exist; it is part %d of %d of the model of %s, put it beside it"
                    .formatted(file, number + 1, count, first.file().getFileName()));
        }
        Gguf part = Gguf.open(file);
        if (number(part) != number || part.metadata().integer(COUNT).orElse(1) != count) {
            part.close();
            throw new CheckpointException("%s is not part %d of %d of a split model, as its name says; copy it again"
                    .formatted(file, number + 1, count));
        }
        return part;
    }

    private static Path sibling(Gguf part, int number, int count) {
        Matcher name = NAME.matcher(String.valueOf(part.file().getFileName()));
        if (!name.matches()
                || Integer.parseInt(name.group(2)) != number(part) + 1
                || Integer.parseInt(name.group(3)) != count) {
            String end = end(number(part), count);
            throw new CheckpointException(
                    "%s is part %d of %d of a split model; its name must end with %s, so that the other parts are found"
                            .formatted(part.file(), number(part) + 1, count, end));
        }
        return part.file().resolveSibling(name.group(1) + end(number, count));
    }

    private static String end(int number, int count) {
        return String.format(Locale.ROOT, "-%05d-of-%05d.gguf", number + 1, count);
    }

    private static void requireAllTensors(Gguf first, List<Gguf> parts) {
        int there = parts.stream().mapToInt(part -> part.tensors().size()).sum();
        int wanted = first.metadata().integer(TENSORS).orElse(there);
        if (there != wanted) {
            throw new CheckpointException(
                    "the parts of %s hold %d tensors, but the model has %d; copy all parts of one model again"
                            .formatted(first.file(), there, wanted));
        }
    }
}
