package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Quote;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Images that are files below a folder. Their paths come from data files and must stay inside it. */
public final class ImageFolder implements Images {
    private final Path root;
    private final Path realRoot;
    private final boolean followSymlinks;
    private final ImageLocator locator;

    /**
     * @param root the folder
     * @param followSymlinks whether symbolic links in it may lead out of it
     * @throws DataException if it does not exist
     */
    public ImageFolder(Path root, boolean followSymlinks) {
        this.root = root;
        this.locator = new ImageLocator(root);
        this.followSymlinks = followSymlinks;
        try {
            this.realRoot = root.toRealPath();
        } catch (IOException e) {
            throw new DataException("image folder %s cannot be opened; check data.images".formatted(root), e);
        }
        if (!Files.isDirectory(realRoot)) {
            throw new DataException(
                    "%s is a file, not a folder of images; unpack an archive and name its folder".formatted(root));
        }
    }

    /**
     * The file of an image.
     *
     * @param image path from a data file, relative or inside the folder
     * @throws DataException if it leaves the folder, also through a symbolic link, or does not exist
     */
    public Path resolve(String image) {
        String relative = locator.relative(image);
        try {
            Path real = root.resolve(relative).toRealPath();
            if (!followSymlinks && !real.startsWith(realRoot)) {
                throw new DataException(
                        "image %s leads out of %s through a symbolic link; move it there or set data.follow-symlinks"
                                        .formatted(Quote.of(image), root)
                                + " to true");
            }
            if (Files.isDirectory(real)) {
                throw new DataException(
                        "image %s is a folder in %s; name a file in it".formatted(Quote.of(image), root));
            }
            return real;
        } catch (NoSuchFileException e) {
            throw new DataException(locator.missing(relative), e);
        } catch (IOException | InvalidPathException e) {
            throw new DataException(
                    "image %s in %s cannot be opened: %s".formatted(Quote.of(image), root, e.getMessage()), e);
        }
    }

    @Override
    public void require(String image) {
        resolve(image);
    }

    @Override
    public long size(String image) {
        Path file = resolve(image);
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    @Override
    public byte[] bytes(String image) {
        Path file = resolve(image);
        try {
            long length = Files.size(file);
            if (!Files.isRegularFile(file) || length > ImageDecoder.MAX_FILE_BYTES) {
                throw new DataException("image %s is not a file of at most %d bytes; replace it"
                        .formatted(file, ImageDecoder.MAX_FILE_BYTES));
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static DataException unreadable(Path file, IOException cause) {
        return new DataException("image %s cannot be read: %s".formatted(file, cause.getMessage()), cause);
    }

    @Override
    public RgbImage decode(String image, ExifOrientation orientation) {
        return ImageDecoder.decode(resolve(image), orientation);
    }
}
