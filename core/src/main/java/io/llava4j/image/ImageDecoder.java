package io.llava4j.image;

import io.llava4j.DataException;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * From an image file to RGB pixels, as Pillow's {@code Image.open(f).convert("RGB")} gives them (docs/reference/preprocessing.md#decoding):
 * JPEG, PNG, GIF, BMP, WebP and TIFF, detected by content. Alpha is dropped without compositing, 16-bit grey
 * saturates at 255, other 16-bit samples keep their high byte; colour profiles are ignored, and so are orientation
 * tags unless {@link ExifOrientation#APPLY} is given; of
 * an animation the first frame is taken.
 *
 * <p>Stricter than Pillow where pixels would be invented: a truncated or damaged file is always refused.
 */
public final class ImageDecoder {
    /** Maximum number of pixels: 32 Mi. With the limit on file size it keeps one decode within 512 MB of heap. */
    public static final long MAX_PIXELS = 1L << 25;
    /** Maximum length of an edge in pixels. */
    public static final int MAX_EDGE = 65_535;
    /** Maximum size of a file in bytes: 64 MiB. */
    public static final long MAX_FILE_BYTES = 1L << 26;

    private ImageDecoder() {}

    /**
     * Decodes a file.
     *
     * @param file an image
     * @return its pixels
     * @throws DataException if the file is missing, unreadable, too large, damaged or of an unknown kind
     */
    public static RgbImage decode(Path file) {
        return decode(file, ExifOrientation.IGNORE);
    }

    /**
     * Decodes a file.
     *
     * @param file an image
     * @param orientation what becomes of an orientation tag
     * @return its pixels
     * @throws DataException as {@link #decode(Path)}
     */
    public static RgbImage decode(Path file, ExifOrientation orientation) {
        byte[] bytes;
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw new DataException("image %s is not a file; name an image file".formatted(file));
            }
            long length = Files.size(file);
            if (length > MAX_FILE_BYTES) {
                throw new DataException("image %s has %d bytes, more than the limit of %d; scale it down"
                        .formatted(file, length, MAX_FILE_BYTES));
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new DataException("image %s does not exist; check the path and the image folder".formatted(file), e);
        } catch (IOException e) {
            throw new DataException(
                    "image %s; check its permissions and the disk"
                            .formatted(FileErrors.cannotRead(file, e).getMessage()),
                    e);
        }
        return decode(bytes, file.toString(), orientation);
    }

    /**
     * Decodes an image in memory.
     *
     * @param bytes content of an image file; not modified
     * @param name of the image in error messages
     * @return its pixels
     * @throws DataException if the image is too large, damaged or of an unknown kind
     */
    public static RgbImage decode(byte[] bytes, String name) {
        return decode(bytes, name, ExifOrientation.IGNORE);
    }

    /**
     * Decodes an image in memory.
     *
     * @param bytes content of an image file; not modified
     * @param name of the image in error messages
     * @param orientation what becomes of an orientation tag
     * @return its pixels
     * @throws DataException as {@link #decode(byte[], String)}
     */
    public static RgbImage decode(byte[] bytes, String name, ExifOrientation orientation) {
        RgbImage stored = stored(bytes, name);
        return orientation == ExifOrientation.IGNORE
                ? stored
                : stored.oriented(ExifReader.orientation(new ImageBytes(bytes, name)));
    }

    /**
     * Refuses what {@link #decode(byte[], String)} refuses, as far as headers and structure of the file show it: its kind, its
     * size and, for most kinds, that it is complete. No pixel is decoded, and no memory is taken for one.
     *
     * @param bytes content of an image file; not modified
     * @param name of the image in error messages
     * @throws DataException if the image is too large, visibly damaged or of an unknown kind
     */
    public static void check(byte[] bytes, String name) {
        ImageBytes in = new ImageBytes(bytes, name);
        switch (Kind.of(in)) {
            case JPEG -> JpegStream.parse(in);
            case PNG -> new PngDecoder(in).check();
            case GIF -> new GifDecoder(in).check();
            case BMP -> BmpDecoder.check(in);
            case WEBP -> WebpDecoder.check(in);
            case TIFF -> TiffDecoder.check(in);
        }
    }

    private static RgbImage stored(byte[] bytes, String name) {
        ImageBytes in = new ImageBytes(bytes, name);
        return switch (Kind.of(in)) {
            case JPEG -> JpegDecoder.decode(in);
            case PNG -> new PngDecoder(in).decode();
            case GIF -> new GifDecoder(in).decode();
            case BMP -> BmpDecoder.decode(in);
            case WEBP -> WebpDecoder.decode(in);
            case TIFF -> TiffDecoder.decode(in);
        };
    }

    /** Kinds of image files, detected by content. */
    private enum Kind {
        JPEG,
        PNG,
        GIF,
        BMP,
        WEBP,
        TIFF;

        static Kind of(ImageBytes in) {
            int length = in.array().length;
            if (length > MAX_FILE_BYTES) {
                throw in.tooLong();
            }
            if (in.matches(0, "\u00ff\u00d8\u00ff")) {
                return JPEG;
            }
            if (in.matches(0, PngDecoder.SIGNATURE)) {
                return PNG;
            }
            if (in.matches(0, "GIF87a") || in.matches(0, "GIF89a")) {
                return GIF;
            }
            if (in.matches(0, "BM")) {
                return BMP;
            }
            if (in.matches(0, "RIFF") && in.matches(8, "WEBP")) {
                return WEBP;
            }
            if (TiffDecoder.begins(in)) {
                return TIFF;
            }
            throw length == 0 ? in.truncated("the file is empty") : in.unknown();
        }
    }
}
