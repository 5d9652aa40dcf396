package io.llava4j.train.data;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** The folder the pictures of a data set are in. Paths come from data files and must not lead out of it. */
public final class ImageFolder {
    private static final Pattern SEPARATOR = Pattern.compile("[/\\\\]");
    private static final Pattern ABSOLUTE = Pattern.compile("(?s)[/\\\\].*|[A-Za-z]:.*");

    private final Path root;
    private final Path realRoot;
    private final boolean followSymlinks;

    /**
     * @param root the folder
     * @param followSymlinks whether symbolic links in it may lead out of it
     * @throws DataException if it does not exist
     */
    public ImageFolder(Path root, boolean followSymlinks) {
        this.root = root;
        this.followSymlinks = followSymlinks;
        try {
            this.realRoot = root.toRealPath();
        } catch (IOException e) {
            throw new DataException("image folder %s cannot be opened; check data.images".formatted(root), e);
        }
    }

    /**
     * What is wrong with a picture's path, judged without looking at the disk.
     *
     * @param image relative path from a data file
     * @return one sentence, or nothing if the path stays inside the folder
     */
    public static Optional<String> complaint(String image) {
        boolean usable = !image.isBlank() && image.indexOf('\0') < 0;
        if (!usable) {
            return Optional.of("the image path is empty or not a path; write one relative to the image folder");
        }
        if (ABSOLUTE.matcher(image).matches()
                || Arrays.asList(SEPARATOR.split(image, -1)).contains("..")) {
            return Optional.of(
                    "image path '%s' leaves the image folder; write one relative to it, without ..".formatted(image));
        }
        return Optional.empty();
    }

    /**
     * The file of a picture.
     *
     * @param image relative path from a data file
     * @throws DataException if it leaves the folder, also through a symbolic link, or does not exist
     */
    public Path resolve(String image) {
        complaint(image).ifPresent(reason -> {
            throw new DataException(reason);
        });
        try {
            Path real = root.resolve(image).toRealPath();
            if (!followSymlinks && !real.startsWith(realRoot)) {
                throw new DataException(
                        "image '%s' leads out of %s through a symbolic link; move it there or set data.follow-symlinks"
                                        .formatted(image, root)
                                + " to true");
            }
            return real;
        } catch (NoSuchFileException e) {
            throw new DataException(
                    "image '%s' does not exist in %s; fetch it or correct the path".formatted(image, root), e);
        } catch (IOException | InvalidPathException e) {
            throw new DataException("image '%s' in %s cannot be opened: %s".formatted(image, root, e.getMessage()), e);
        }
    }
}
